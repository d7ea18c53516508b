"""Daily statistics of rich menus. A request covers at most 100 days, and LINE keeps three years."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.line_time import line_date
from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.base.daily_stream import date_param, parse_start_date
from tap_line.clock import now
from tap_line.streams.marketing.rich_menus import RichMenus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context

_DAY = timedelta(days=1)
# Difference between the last and the first day of a range.
_LONGEST_RANGE = timedelta(days=99)
_LONGEST_HISTORY = timedelta(days=3 * 365 - 1)


class RichMenuStatistics(BudgetedStream):
    """Number of impressions and taps of each rich menu, by day."""

    description = "Number of impressions and taps of each rich menu, by day."
    name = "rich_menu_statistics"
    path = "/v2/bot/insight/richmenu/{rich_menu_id}/daily"
    primary_keys: ClassVar[tuple[str, ...]] = ("rich_menu_id", "date")
    replication_key = "date"
    has_custom_bookmarks = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("rich_menu_id", th.StringType, required=True, description="ID of the rich menu"),
        th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)"),
        th.Property("impressions", th.IntegerType, description="Number of impressions"),
        th.Property("unique_impressions", th.IntegerType, description="Number of people who saw the menu"),
        th.Property("clicks", th.IntegerType, description="Number of taps on all areas"),
        th.Property(
            "areas",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="Figures by area: bounds, count (number of taps) and uniqueUsers (number of people who tapped)",
        ),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield the days of each menu: the last 100 days, and earlier days that were not read yet."""
        menus = self.sibling(RichMenus).ids()
        bookmarks: dict[str, str] = self.stream_state.get("read_until", {})
        last_day_read = {menu: date.fromisoformat(bookmarks[menu]) for menu in menus if menu in bookmarks}
        # The least recently read menu comes first, so that a small request budget reaches every menu.
        for menu in sorted(menus, key=lambda menu: (last_day_read.get(menu, date.min), menu)):
            for first, last in self._ranges(last_day_read.get(menu)):
                params = {"from": date_param(first), "to": date_param(last)}
                yield from daily_records(menu, self.fetch(self.path.format(rich_menu_id=menu), params).json_object())
                last_day_read[menu] = last
                self.save_bookmarks(read_until={known: day.isoformat() for known, day in last_day_read.items()})

    def _ranges(self, last_day_read: date | None) -> list[tuple[date, date]]:
        today = line_date(now())
        start = parse_start_date(self.config.get("start_date"), today)
        return split_into_ranges(last_day_read + _DAY if last_day_read else start, today - _DAY)


def split_into_ranges(first: date, last: date) -> list[tuple[date, date]]:
    """Split a range of days into the longest ranges that LINE accepts.

    The last range always has the full length of 100 days and can start before `first`: LINE returns figures of a range
    only if at least 20 people tapped the menu in it.
    """
    ranges = []
    first = max(first, last - _LONGEST_HISTORY)
    while first < last - _LONGEST_RANGE:
        ranges.append((first, first + _LONGEST_RANGE))
        first += _LONGEST_RANGE + _DAY
    return [*ranges, (last - _LONGEST_RANGE, last)]


def daily_records(menu: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a record for each day with figures, by day."""
    impressions = {day["date"]: day for day in (body.get("impression") or {}).get("metrics") or []}
    areas: dict[str, list[dict[str, Any]]] = {day: [] for day in impressions}
    for area in body.get("clicks") or []:
        for taps in area.get("metrics") or []:
            figures = {"count": taps.get("count"), "uniqueUsers": taps.get("uniqueUsers")}
            areas.setdefault(taps["date"], []).append({"bounds": area.get("bounds"), **figures})
    for day, tapped_areas in sorted(areas.items()):
        seen = impressions.get(day, {})
        counts = [area["count"] for area in tapped_areas if area["count"] is not None]
        yield {
            "richMenuId": menu,
            "date": date.fromisoformat(day).isoformat(),
            "impressions": seen.get("count"),
            "unique_impressions": seen.get("uniqueUsers"),
            "clicks": sum(counts) if counts else None,
            "areas": tapped_areas,
        }
