"""Rich menus, their aliases, and their links to users.

Source: LINE Messaging API reference, "Rich menu", "Per-user rich menu", "Rich menu alias".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.foundation.solid_png import solid_png
from line_sandbox.rich_menus.images import is_allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from line_sandbox.foundation.clock import Clock

MAX_MENUS = 1000
MAX_ALIASES = 1000

_ALIAS = re.compile(r"[a-z0-9_-]{1,32}\Z")
_REGULAR_USER_INTERVAL = 10
_NO_MENU = ""
_INITIAL_WIDTH, _INITIAL_HEIGHT = 2500, 843
_INITIAL_MENU_AGE_SECONDS = 90 * 24 * 3600


@dataclass(slots=True)
class RichMenu:
    """A rich menu."""

    id: str
    content: dict[str, Any]
    """LINE's rich menu object."""
    created_at: float
    """Seconds since 1970."""
    image: bytes | None = None
    image_type: str = ""


class RichMenuStore:
    """The channel's rich menus.

    Two menus exist at the start, each with an alias: the default menu, and one that is linked to every tenth user.
    """

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = SeededRandom(seed, "rich menus")
        self._created = 0
        self._menus: dict[str, RichMenu] = {}
        self._links: dict[int, str] = {}
        """Menus of users whose link was changed; `_NO_MENU` if it was removed."""
        created_at = clock.now() - _INITIAL_MENU_AGE_SECONDS
        everybody, regulars = (self._add_initial(name, created_at) for name in ("Everybody's menu", "Regulars' menu"))
        self._aliases = {"everybody": everybody, "regulars": regulars}
        self._default: str | None = everybody
        self._regulars: str | None = regulars

    def create(self, content: dict[str, Any]) -> str:
        """Create a menu without an image; return its id.

        Raises:
            InvalidRequest: The limit of menus is reached.
        """
        if len(self._menus) >= MAX_MENUS:
            raise InvalidRequest("The maximum number of rich menus has been reached")
        return self._add(content, self._clock.now())

    def all(self) -> list[RichMenu]:
        return list(self._menus.values())

    def find(self, menu_id: str, not_found: NotFound | None = None) -> RichMenu:
        """Return a menu by its id.

        Args:
            menu_id: The menu's id.
            not_found: The response if there is no such menu; default: LINE's usual one.

        Raises:
            NotFound: There is no such menu.
        """
        menu = self._menus.get(menu_id)
        if menu is None:
            raise not_found or NotFound
        return menu

    def find_with_image(self, menu_id: str, not_found: NotFound | None = None) -> RichMenu:
        """Return a menu that can be linked to users, because it has an image; for `not_found`, see `find`.

        Raises:
            InvalidRequest: The menu has no image.
            NotFound: There is no such menu.
        """
        menu = self.find(menu_id, not_found)
        if menu.image is None:
            raise InvalidRequest("must upload richmenu image before applying it to user", [])
        return menu

    def delete(self, menu_id: str) -> None:
        """Delete a menu with its aliases and links.

        Raises:
            NotFound: There is no such menu.
        """
        self.find(menu_id)
        del self._menus[menu_id]
        self._links = {number: linked for number, linked in self._links.items() if linked != menu_id}
        self._aliases = {alias: target for alias, target in self._aliases.items() if target != menu_id}
        self._default = None if self._default == menu_id else self._default
        self._regulars = None if self._regulars == menu_id else self._regulars

    def set_image(self, menu_id: str, image: bytes, image_type: str) -> None:
        """Add the image to a menu that has none.

        Raises:
            InvalidRequest: The menu has an image, or LINE does not allow the size or format of the image.
            NotFound: There is no such menu.
        """
        menu = self.find(menu_id)
        if menu.image is not None:
            raise InvalidRequest("An image has already been uploaded to the richmenu")
        if not is_allowed(image, image_type):
            raise InvalidRequest("The image size is not allowed for richmenu")
        menu.image, menu.image_type = image, image_type

    @property
    def default(self) -> str | None:
        """Id of the menu of users without a linked menu; None if there is no default menu."""
        return self._default

    def set_default(self, menu_id: str | None) -> None:
        """Set or, with None, clear the default menu.

        Raises:
            InvalidRequest: The menu has no image.
            NotFound: There is no such menu.
        """
        self._default = None if menu_id is None else self.find_with_image(menu_id).id

    def linked_menu(self, number: int) -> str | None:
        """Return the id of the menu that is linked to a user number."""
        linked = self._links.get(number)
        if linked is not None:
            return linked or None
        return self._regulars if number % _REGULAR_USER_INTERVAL == 0 else None

    def link(self, menu_id: str, numbers: Iterable[int]) -> None:
        """Link a menu to users."""
        self._links.update(dict.fromkeys(numbers, menu_id))

    def unlink(self, numbers: Iterable[int]) -> None:
        """Remove the links of users."""
        self._links.update(dict.fromkeys(numbers, _NO_MENU))

    def relink(self, replacements: Mapping[str, str | None]) -> None:
        """Replace linked menus, by id; None removes the link. All replacements happen at the same time."""
        self._links = {
            number: (replacements[linked] or _NO_MENU) if linked in replacements else linked
            for number, linked in self._links.items()
        }
        if self._regulars is not None and self._regulars in replacements:
            self._regulars = replacements[self._regulars]

    def unlink_all(self) -> None:
        """Remove all links."""
        self._links = {}
        self._regulars = None

    def aliases(self) -> dict[str, str]:
        """Return the menu id of each alias."""
        return dict(self._aliases)

    def add_alias(self, alias: str, menu_id: str) -> None:
        """Create an alias.

        Raises:
            InvalidRequest: The alias exists, the menu does not, or the limit of aliases is reached.
        """
        if alias in self._aliases:
            raise InvalidRequest("conflict richmenu alias id", [])
        if len(self._aliases) >= MAX_ALIASES:
            raise InvalidRequest("The maximum number of rich menu aliases has been reached")
        self._aliases[alias] = self._alias_target(menu_id)

    def change_alias(self, alias: str, menu_id: str) -> None:
        """Assign another menu to an alias.

        Raises:
            InvalidRequest: There is no such menu, it has no image, or the text is not in the format of an alias.
            NotFound: There is no such alias.
        """
        self.menu_of_alias(alias)
        self._aliases[alias] = self._alias_target(menu_id)

    def menu_of_alias(self, alias: str) -> str:
        """Return the menu id of an alias.

        Raises:
            InvalidRequest: The text is not in the format of an alias.
            NotFound: There is no such alias.
        """
        if not _ALIAS.match(alias):
            raise InvalidRequest.for_parameter("richMenuAliasId")
        if alias not in self._aliases:
            raise NotFound("richmenu alias not found", [])
        return self._aliases[alias]

    def delete_alias(self, alias: str) -> None:
        """Delete an alias.

        Raises:
            InvalidRequest: The text is not in the format of an alias.
            NotFound: There is no such alias.
        """
        self.menu_of_alias(alias)
        del self._aliases[alias]

    def _alias_target(self, menu_id: str) -> str:
        menu = self._menus.get(menu_id)
        if menu is None or menu.image is None:
            raise InvalidRequest("richmenu not found", [])
        return menu_id

    def _add(self, content: dict[str, Any], created_at: float) -> str:
        self._created += 1
        menu_id = f"richmenu-{self._random.integer(self._created, 16):032x}"
        self._menus[menu_id] = RichMenu(menu_id, content, created_at)
        return menu_id

    def _add_initial(self, name: str, created_at: float) -> str:
        menu_id = self._add(_initial_menu(name), created_at)
        menu = self._menus[menu_id]
        menu.image, menu.image_type = solid_png(menu_id, _INITIAL_WIDTH, _INITIAL_HEIGHT), "image/png"
        return menu_id


def _initial_menu(name: str) -> dict[str, Any]:
    width, height = _INITIAL_WIDTH, _INITIAL_HEIGHT
    halves = [{"x": x, "y": 0, "width": width // 2, "height": height} for x in (0, width // 2)]
    actions = [
        {"type": "uri", "label": "Shop", "uri": "https://shop.example/"},
        {"type": "postback", "label": "Stamps", "data": "menu=stamps"},
    ]
    return {
        "size": {"width": width, "height": height},
        "selected": True,
        "name": name,
        "chatBarText": "Menu",
        "areas": [{"bounds": bounds, "action": action} for bounds, action in zip(halves, actions, strict=True)],
    }
