"""How often rich menus are seen and tapped: a function of the seed, the menu and the day.

Source: LINE Messaging API reference, "Get rich menu insight totals", "Get rich menu insight by day".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import line_date
from line_sandbox.http.parameters import read_date
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.history import History
    from line_sandbox.rich_menus.state import RichMenu, RichMenus

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


def add_routes(router: Router, *, clock: Clock, history: History, random: SeededRandom, rich_menus: RichMenus) -> None:
    """Add the routes of this module."""
    endpoints = _RichMenuInsight(clock=clock, history=history, random=random, rich_menus=rich_menus)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/summary", endpoints.totals)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/daily", endpoints.daily)


class _RichMenuInsight:
    def __init__(self, *, clock: Clock, history: History, random: SeededRandom, rich_menus: RichMenus) -> None:
        self._clock = clock
        self._history = history
        self._random = random
        self._rich_menus = rich_menus

    def totals(self, request: HttpRequest) -> HttpResponse:
        return self._told(request, LONGEST_TOTAL_DAYS, _total)

    def daily(self, request: HttpRequest) -> HttpResponse:
        return self._told(request, LONGEST_DAILY_DAYS, _each)

    def _told(self, request: HttpRequest, longest: int, write: Any) -> HttpResponse:  # noqa: ANN401 - one of the two below
        menu = self._rich_menus.find(request.path_parameters["richMenuId"])
        days = self._days(request, menu, longest)
        areas = menu.content["areas"]
        seen = [self._seen(menu, day) for day in days]
        tapped = [[self._tapped(menu, place, one) for one in seen] for place in range(len(areas))]
        if sum(one.people for area in tapped for one in area) < FEWEST_PEOPLE:
            return HttpResponse({"richMenuId": menu.id})
        return HttpResponse(
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

    def _days(self, request: HttpRequest, menu: RichMenu, longest: int) -> list[date]:
        """The days that are asked for, as far as there are figures of them."""
        first, last = read_date(request.query_parameter("from")), read_date(request.query_parameter("to"))
        if first is None or last is None:
            raise InvalidRequest("Bad Request")
        today = self._clock.today()
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
        friends = self._history.friends(day)
        people = int((friends.followers - friends.blocks) * _SEEN_SHARE * self._draw(menu, day, 0))
        return _Day(day, int(people * _TIMES), people)

    def _tapped(self, menu: RichMenu, place: int, seen: _Day) -> _Day:
        people = int(seen.people * _TAPPED_SHARE * self._draw(menu, seen.day, 1 + place))
        return _Day(seen.day, int(people * _TIMES), people)

    def _draw(self, menu: RichMenu, day: date, figure: int) -> float:
        return self._random.fraction(int(menu.id[-12:], 16) << 40 | day.toordinal() << 8 | figure)


def _total(days: Sequence[_Day]) -> dict[str, int]:
    return {"count": sum(one.times for one in days), "uniqueUsers": sum(one.people for one in days)}


def _each(days: Sequence[_Day]) -> list[dict[str, Any]]:
    return [{"date": f"{one.day:%Y%m%d}", "count": one.times, "uniqueUsers": one.people} for one in days]
