"""How often rich menus are seen and tapped: a function of the seed, the menu and the day.

Source: LINE Messaging API reference, "Get rich menu insight totals", "Get rich menu insight by day".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import line_date
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import read_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.platform import Platform
    from line_sandbox.rich_menus.state import RichMenu
    from line_sandbox.server.routing import Router

LONGEST_TOTAL_DAYS = 396
LONGEST_DAILY_DAYS = 99
FEWEST_PEOPLE = 20

_KNOWN_YEARS = 3
_SEEN_SHARE = 0.05
_TAPPED_SHARE = 0.2
_TIMES = 1.4


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    times: int
    people: int


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _RichMenuInsight(platform)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/summary", endpoints.totals)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/daily", endpoints.daily)


class _RichMenuInsight:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def totals(self, request: Request) -> Reply:
        return self._told(request, LONGEST_TOTAL_DAYS, _total)

    def daily(self, request: Request) -> Reply:
        return self._told(request, LONGEST_DAILY_DAYS, _each)

    def _told(self, request: Request, longest: int, write: Any) -> Reply:  # noqa: ANN401 - one of the two below
        menu = self._platform.rich_menus.find(request.path_parameters["richMenuId"])
        days = self._days(request, menu, longest)
        areas = menu.content["areas"]
        seen = [self._seen(menu, day) for day in days]
        tapped = [[self._tapped(menu, place, one) for one in seen] for place in range(len(areas))]
        if sum(one.people for area in tapped for one in area) < FEWEST_PEOPLE:
            return Reply({"richMenuId": menu.id})
        return Reply(
            {
                "richMenuId": menu.id,
                "metricsFrom": f"{days[0]:%Y%m%d}",
                "metricsTo": f"{days[-1]:%Y%m%d}",
                "impression": {"metrics": write(seen)},
                "clicks": [
                    {"bounds": area["bounds"], "metrics": write(figures)}
                    for area, figures in zip(areas, tapped, strict=True)
                ],
            }
        )

    def _days(self, request: Request, menu: RichMenu, longest: int) -> list[date]:
        """The days that are asked for, as far as there are figures of them."""
        first, last = read_date(request.parameter("from")), read_date(request.parameter("to"))
        if first is None or last is None:
            raise InvalidRequest("Bad Request")
        today = self._platform.clock.today()
        oldest = today - timedelta(days=365 * _KNOWN_YEARS)
        if last < first:
            raise InvalidRequest("Parameter to must be the same date as, or after parameter from.")
        if (last - first).days > longest:
            raise InvalidRequest(f"Date range exceeds. Max range is {longest} days.")
        if first < oldest:
            raise InvalidRequest(f"Parameter from must be the same date as, or after {oldest.isoformat()}.")
        first, last = max(first, line_date(menu.created)), min(last, today - timedelta(days=1))
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _seen(self, menu: RichMenu, day: date) -> _Day:
        friends = self._platform.history.friends(day)
        people = int((friends.followers - friends.blocks) * _SEEN_SHARE * self._draw(menu, day, 0))
        return _Day(day, int(people * _TIMES), people)

    def _tapped(self, menu: RichMenu, place: int, seen: _Day) -> _Day:
        people = int(seen.people * _TAPPED_SHARE * self._draw(menu, seen.day, 1 + place))
        return _Day(seen.day, int(people * _TIMES), people)

    def _draw(self, menu: RichMenu, day: date, figure: int) -> float:
        return self._platform.chance.share(int(menu.id[-12:], 16) << 40 | day.toordinal() << 8 | figure)


def _total(days: Sequence[_Day]) -> dict[str, int]:
    return {"count": sum(one.times for one in days), "uniqueUsers": sum(one.people for one in days)}


def _each(days: Sequence[_Day]) -> list[dict[str, Any]]:
    return [{"date": f"{one.day:%Y%m%d}", "count": one.times, "uniqueUsers": one.people} for one in days]
