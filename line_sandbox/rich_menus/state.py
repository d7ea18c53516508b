"""Rich menus, their aliases, and who sees which.

Source: LINE Messaging API reference, "Rich menu", "Per-user rich menu", "Rich menu alias".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from line_sandbox.foundation.clock import Clock

MAX_MENUS = 1000
MAX_ALIASES = 1000
MAX_IMAGE_BYTES = 1024 * 1024

_LINKED_EVERY = 10
_UNLINKED = ""
_OLD_MENUS_AGE_SECONDS = 90 * 24 * 3600


@dataclass(slots=True)
class RichMenu:
    """A rich menu."""

    id: str
    content: dict[str, Any]
    """LINE's rich menu object."""
    created: float
    """Seconds since 1970."""
    image: bytes | None = None
    image_type: str = ""


class RichMenus:
    """The rich menus of a channel.

    In the beginning there are two, one for all and one for every tenth person, each with an alias.
    """

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._chance = SeededRandom(seed, "rich menus")
        self._issued = 0
        self._menus: dict[str, RichMenu] = {}
        self._aliases: dict[str, str] = {}
        self._links: dict[int, str] = {}
        created = clock.now() - _OLD_MENUS_AGE_SECONDS
        everybody, regulars = (self._old(name, created) for name in ("Everybody's menu", "Regulars' menu"))
        self._aliases = {"everybody": everybody, "regulars": regulars}
        self._default: str | None = everybody
        self._for_regulars: str | None = regulars

    def create(self, content: dict[str, Any]) -> str:
        """Make a menu, still without an image; returns its id.

        Raises:
            InvalidRequest: There are too many.
        """
        if len(self._menus) >= MAX_MENUS:
            raise InvalidRequest("The maximum number of rich menus has been reached")
        return self._add(content, self._clock.now())

    def all(self) -> list[RichMenu]:
        """All menus."""
        return list(self._menus.values())

    def find(self, menu_id: str, message: str = "Not found") -> RichMenu:
        """A menu by its id.

        Raises:
            NotFound: There is none.
        """
        menu = self._menus.get(menu_id)
        if menu is None:
            raise NotFound(message)
        return menu

    def find_shown(self, menu_id: str, message: str = "Not found") -> RichMenu:
        """A menu that has its image, so that people can be shown it.

        Raises:
            InvalidRequest: It has none.
            NotFound: There is no such menu.
        """
        menu = self.find(menu_id, message)
        if menu.image is None:
            raise InvalidRequest("must upload richmenu image before applying it to user")
        return menu

    def delete(self, menu_id: str) -> None:
        """Delete a menu; who was shown it is shown the default one.

        Raises:
            NotFound: There is none.
        """
        self.find(menu_id)
        del self._menus[menu_id]
        self._links = {number: linked for number, linked in self._links.items() if linked != menu_id}
        self._aliases = {alias: target for alias, target in self._aliases.items() if target != menu_id}
        self._default = None if self._default == menu_id else self._default
        self._for_regulars = None if self._for_regulars == menu_id else self._for_regulars

    def set_image(self, menu_id: str, image: bytes, image_type: str) -> None:
        """Give a menu its image, once.

        Raises:
            InvalidRequest: It has one, or this is none.
            NotFound: There is no such menu.
        """
        menu = self.find(menu_id)
        if menu.image is not None:
            raise InvalidRequest("An image has already been uploaded to the richmenu")
        if not image or len(image) > MAX_IMAGE_BYTES or not _is_image(image, image_type):
            raise InvalidRequest("The image size is not allowed for richmenu")
        menu.image, menu.image_type = image, image_type

    @property
    def default(self) -> str | None:
        """The menu of everybody who has no other."""
        return self._default

    def set_default(self, menu_id: str | None) -> None:
        """Choose it.

        Raises:
            InvalidRequest: It has no image.
            NotFound: There is no such menu.
        """
        self._default = None if menu_id is None else self.find_shown(menu_id).id

    def linked(self, number: int) -> str | None:
        """The menu that a person has been given."""
        linked = self._links.get(number)
        if linked is not None:
            return linked or None
        return self._for_regulars if number % _LINKED_EVERY == 0 else None

    def link(self, menu_id: str, numbers: Iterable[int]) -> None:
        """Give people a menu."""
        self._links.update(dict.fromkeys(numbers, menu_id))

    def unlink(self, numbers: Iterable[int]) -> None:
        """Take people's menus away, so that they see the default one."""
        self._links.update(dict.fromkeys(numbers, _UNLINKED))

    def relink(self, changes: Mapping[str, str | None]) -> None:
        """Give everybody who has one of some menus another, or none; the changes do not follow on each other."""
        self._links = {
            number: (changes[linked] or _UNLINKED) if linked in changes else linked
            for number, linked in self._links.items()
        }
        if self._for_regulars is not None and self._for_regulars in changes:
            self._for_regulars = changes[self._for_regulars]

    def unlink_all(self) -> None:
        """Take everybody's menus away."""
        self._links = {}
        self._for_regulars = None

    def aliases(self) -> dict[str, str]:
        """The menu of each alias."""
        return dict(self._aliases)

    def add_alias(self, alias: str, menu_id: str) -> None:
        """Make an alias.

        Raises:
            InvalidRequest: It is there, or the menu is not, or there are too many.
        """
        if alias in self._aliases:
            raise InvalidRequest("conflict richmenu alias id")
        if len(self._aliases) >= MAX_ALIASES:
            raise InvalidRequest("The maximum number of rich menu aliases has been reached")
        self._aliases[alias] = self._target(menu_id)

    def change_alias(self, alias: str, menu_id: str) -> None:
        """Point an alias elsewhere.

        Raises:
            InvalidRequest: There is no such menu.
            NotFound: There is no such alias.
        """
        self.alias(alias)
        self._aliases[alias] = self._target(menu_id)

    def alias(self, alias: str) -> str:
        """The menu of an alias.

        Raises:
            NotFound: There is no such alias.
        """
        if alias not in self._aliases:
            raise NotFound("richmenu alias not found")
        return self._aliases[alias]

    def delete_alias(self, alias: str) -> None:
        """Delete an alias.

        Raises:
            NotFound: There is no such alias.
        """
        self.alias(alias)
        del self._aliases[alias]

    def _target(self, menu_id: str) -> str:
        menu = self._menus.get(menu_id)
        if menu is None or menu.image is None:
            raise InvalidRequest("richmenu not found")
        return menu_id

    def _add(self, content: dict[str, Any], created: float) -> str:
        self._issued += 1
        menu_id = f"richmenu-{self._chance.integer(self._issued, 16):032x}"
        self._menus[menu_id] = RichMenu(menu_id, content, created)
        return menu_id

    def _old(self, name: str, created: float) -> str:
        width, height = 2500, 843
        halves = [{"x": x, "y": 0, "width": width // 2, "height": height} for x in (0, width // 2)]
        actions = [
            {"type": "uri", "label": "Shop", "uri": "https://shop.example/"},
            {"type": "postback", "label": "Stamps", "data": "menu=stamps"},
        ]
        content = {
            "size": {"width": width, "height": height},
            "selected": True,
            "name": name,
            "chatBarText": "Menu",
            "areas": [{"bounds": bounds, "action": action} for bounds, action in zip(halves, actions, strict=True)],
        }
        menu_id = self._add(content, created)
        self._menus[menu_id].image, self._menus[menu_id].image_type = picture(menu_id), "image/png"
        return menu_id


def _is_image(image: bytes, image_type: str) -> bool:
    return image.startswith(b"\x89PNG\r\n\x1a\n" if image_type == "image/png" else b"\xff\xd8\xff")
