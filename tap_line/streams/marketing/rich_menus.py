"""Rich menus created with the Messaging API, their aliases, and the rich menu of each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.base.per_person_stream import PerPersonStream
from tap_line.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response
    from tap_line.base.bulk_stream import BulkRequest

_SIZE = th.ObjectType(
    th.Property("width", th.IntegerType, description="Width in pixels"),
    th.Property("height", th.IntegerType, description="Height in pixels"),
    additional_properties=True,
)


class RichMenus(ApiStream):
    """The rich menus created with the Messaging API, and which of them is the default."""

    description = "The rich menus created with the Messaging API, and which of them is the default."
    name = "rich_menus"
    path = "/v2/bot/richmenu/list"
    records_key = "richmenus"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("rich_menu_id", th.StringType, required=True, description="ID of the rich menu"),
        th.Property("name", th.StringType, description="Internal name; people do not see it"),
        th.Property("chat_bar_text", th.StringType, description="Text of the chat bar that opens the menu"),
        th.Property("selected", th.BooleanType, description="Whether the menu is open by default"),
        th.Property("is_default", th.BooleanType, description="Whether people without a personal menu see it"),
        th.Property("size", _SIZE, description="Size of the menu's image"),
        th.Property(
            "areas",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="Tappable areas: bounds and action, in LINE's format",
        ),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield the menus, and mark the default menu."""
        default = self._default_id()
        for menu in super().read_records(context):
            yield {**menu, "is_default": menu.get("richMenuId") == default}

    def ids(self) -> list[str]:
        """Request the list and return the IDs of the menus."""
        return [str(menu["richMenuId"]) for menu in self.request_records(None)]

    def _default_id(self) -> str | None:
        try:
            default: str | None = self.fetch("/v2/bot/user/all/richmenu").json_object().get("richMenuId")
        except (NotFoundError, NotEntitledError):
            return None  # there is no default menu, or it was set in the console and is not in the list
        return default


class RichMenuAliases(ApiStream):
    """The aliases that rich menu switch actions use."""

    description = "The aliases that rich menu switch actions use."
    name = "rich_menu_aliases"
    path = "/v2/bot/richmenu/alias/list"
    records_key = "aliases"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_alias_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("rich_menu_alias_id", th.StringType, required=True, description="ID of the alias"),
        th.Property("rich_menu_id", th.StringType, description="ID of the alias's rich menu"),
    ).to_dict()


class UserRichMenus(PerPersonStream):
    """The rich menu linked to each person of `profile_source`. One request per person."""

    description = "The rich menu linked to each person of `profile_source`. One request per person."
    name = "user_rich_menus"
    path = "/v2/bot/user/{line_id}/richmenu"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property("rich_menu_id", th.StringType, description="ID of the person's menu; null if none is linked"),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    def records_for(self, request: BulkRequest, response: Response) -> list[dict[str, Any]]:
        """Return the person's menu, or null if none is linked."""
        error = self.error_in(response)
        if error and not isinstance(error, NotFoundError):
            raise error
        menu = None if error else response.json_object().get("richMenuId")
        return [{**request.known_fields, "richMenuId": menu, "observed_at": now().isoformat()}]
