"""Rich menus: which there are, who sees which, and how they are used."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError, error_from_response
from tap_line.base.api_stream import ApiStream
from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.base.bulk_stream import PerPersonStream
from tap_line.base.daily_stream import line_day, start_date_of
from tap_line.clock import line_date, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response
    from tap_line.base.bulk_stream import Question

_LONGEST_SPAN = timedelta(days=99)
_EARLIEST = timedelta(days=3 * 365 - 1)

_RICH_MENU_ID = th.Property("rich_menu_id", th.StringType, required=True, description="ID of the rich menu")
_SIZE = th.ObjectType(
    th.Property("width", th.IntegerType, description="Width in pixels"),
    th.Property("height", th.IntegerType, description="Height in pixels"),
    additional_properties=True,
)


class RichMenus(ApiStream):
    """The rich menus made with the Messaging API, and which of them is the default."""

    name = "rich_menus"
    path = "/v2/bot/richmenu/list"
    records_key = "richmenus"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _RICH_MENU_ID,
        th.Property("name", th.StringType, description="Name, for those who manage it"),
        th.Property("chat_bar_text", th.StringType, description="Text of the chat bar that opens it"),
        th.Property("selected", th.BooleanType, description="Whether it is open at first"),
        th.Property("is_default", th.BooleanType, description="Whether everybody without a menu of their own sees it"),
        th.Property("size", _SIZE, description="Size of its image"),
        th.Property(
            "areas",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="Areas to tap: bounds and action, as LINE has them",
        ),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The menus, with which is the default."""
        default = self._default()
        for menu in super().read(context):
            yield {**menu, "is_default": menu.get("richMenuId") == default}

    def ids(self) -> list[str]:
        """The ids alone."""
        return [str(menu["richMenuId"]) for menu in self.request_records(None)]

    def _default(self) -> str | None:
        try:
            default: str | None = self.fetch("/v2/bot/user/all/richmenu").json_object().get("richMenuId")
        except (NotFoundError, NotEntitledError):
            return None  # there is none, or the console set it: then it is none of these
        return default


class RichMenuAliases(ApiStream):
    """The aliases by which actions switch between rich menus."""

    name = "rich_menu_aliases"
    path = "/v2/bot/richmenu/alias/list"
    records_key = "aliases"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_alias_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("rich_menu_alias_id", th.StringType, required=True, description="The alias"),
        th.Property("rich_menu_id", th.StringType, description="ID of the rich menu that it stands for"),
    ).to_dict()


class UserRichMenus(PerPersonStream):
    """The rich menu that each person was given: one request for each, of the people that profile_source says."""

    name = "user_rich_menus"
    path = "/v2/bot/user/{line_id}/richmenu"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property("rich_menu_id", th.StringType, description="The menu; null: none of their own"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def records_about(self, question: Question, reply: Response) -> list[dict[str, Any]]:
        """The person's menu."""
        error = error_from_response(reply, credentials_setting=self.tap.tokens.setting)
        if error and not isinstance(error, NotFoundError):
            raise error
        menu = None if error else reply.json_object().get("richMenuId")
        return [{**question.known, "richMenuId": menu, "observed_at": now().isoformat()}]


class RichMenuStatistics(BudgetedStream):
    """How often each rich menu was seen and its areas were tapped, by day."""

    name = "rich_menu_statistics"
    path = "/v2/bot/insight/richmenu/{rich_menu_id}/daily"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_id", "date")
    replication_key = "date"
    own_state = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _RICH_MENU_ID,
        th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)"),
        th.Property("impressions", th.IntegerType, description="How often it was seen"),
        th.Property("unique_impressions", th.IntegerType, description="How many people saw it"),
        th.Property("clicks", th.IntegerType, description="How often any of its areas was tapped"),
        th.Property(
            "areas",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="By area: bounds, count of taps, and uniqueUsers who tapped",
        ),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Each menu's days: the last hundred, and those before that were not read yet."""
        menus = RichMenus(self.tap).ids()
        marks: dict[str, str] = self.stream_state.get("read_until", {})
        read_until = {menu: date.fromisoformat(marks[menu]) for menu in menus if menu in marks}
        # Those read the longest ago first, so that each gets its turn when the budget is small.
        for menu in sorted(menus, key=lambda menu: (read_until.get(menu, date.min), menu)):
            for begin, end in self._spans(read_until.get(menu)):
                period = {"from": line_day(begin), "to": line_day(end)}
                yield from days_of(menu, self.fetch(self.path.format(rich_menu_id=menu), period).json_object())
                read_until[menu] = end
                self.save(read_until={known: day.isoformat() for known, day in read_until.items()})

    def _spans(self, read_until: date | None) -> list[tuple[date, date]]:
        today = line_date(now())
        start = start_date_of(self.config.get("start_date"), today)
        return spans(read_until + timedelta(days=1) if read_until else start, today - timedelta(days=1))


def spans(begin: date, end: date) -> list[tuple[date, date]]:
    """Cut the days from one to another into the longest spans that LINE takes.

    The last span is always of full length, since LINE shows a span only if 20 people tapped the menu in it.
    """
    cut = []
    begin = max(begin, end - _EARLIEST)
    while begin < end - _LONGEST_SPAN:
        cut.append((begin, begin + _LONGEST_SPAN))
        begin += _LONGEST_SPAN + timedelta(days=1)
    return [*cut, (end - _LONGEST_SPAN, end)]


def days_of(menu: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A record for each day that LINE has figures of, in order."""
    impressions = {day["date"]: day for day in (body.get("impression") or {}).get("metrics") or []}
    areas: dict[str, list[dict[str, Any]]] = {day: [] for day in impressions}
    for area in body.get("clicks") or []:
        for taps in area.get("metrics") or []:
            figures = {"count": taps.get("count"), "uniqueUsers": taps.get("uniqueUsers")}
            areas.setdefault(taps["date"], []).append({"bounds": area.get("bounds"), **figures})
    for day, tapped in sorted(areas.items()):
        seen = impressions.get(day, {})
        counts = [area["count"] for area in tapped if area["count"] is not None]
        yield {
            "richMenuId": menu,
            "date": date.fromisoformat(day).isoformat(),
            "impressions": seen.get("count"),
            "unique_impressions": seen.get("uniqueUsers"),
            "clicks": sum(counts) if counts else None,
            "areas": tapped,
        }
