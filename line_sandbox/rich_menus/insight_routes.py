"""Endpoints for impressions and clicks of rich menus. The figures are computed from the seed, the menu and the day.

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
    from collections.abc import Callable, Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenu, RichMenuStore
    from line_sandbox.users.follower_history import FollowerHistory

MAX_TOTAL_DAYS = 396
MAX_DAILY_DAYS = 99
MIN_USERS = 20

_RETENTION_DAYS = 3 * 365
_SEEN_FRACTION = 0.05
_CLICKED_FRACTION = 0.2
_EVENTS_PER_USER = 1.4


@dataclass(frozen=True, slots=True)
class _DayFigures:
    date: date
    count: int
    unique_users: int


def add_routes(
    router: Router, *, rich_menus: RichMenuStore, follower_history: FollowerHistory, random: SeededRandom, clock: Clock
) -> None:
    """Add the routes of this module."""
    routes = _RichMenuInsightRoutes(rich_menus, follower_history, random, clock)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/summary", routes.totals)
    router.add("GET /v2/bot/insight/richmenu/{richMenuId}/daily", routes.daily)


class _RichMenuInsightRoutes:
    def __init__(
        self, rich_menus: RichMenuStore, follower_history: FollowerHistory, random: SeededRandom, clock: Clock
    ) -> None:
        self._menus = rich_menus
        self._follower_history = follower_history
        self._random = random
        self._clock = clock

    def totals(self, request: HttpRequest) -> HttpResponse:
        return self._respond(request, MAX_TOTAL_DAYS, _total)

    def daily(self, request: HttpRequest) -> HttpResponse:
        return self._respond(request, MAX_DAILY_DAYS, _by_day)

    def _respond(
        self, request: HttpRequest, max_days: int, metrics: Callable[[Sequence[_DayFigures]], Any]
    ) -> HttpResponse:
        menu = self._menus.find(request.path_parameters["richMenuId"])
        days = self._days(request, menu, max_days)
        areas = menu.content["areas"]
        impressions = [self._impressions(menu, day) for day in days]
        clicks = [[self._clicks(menu, index, figures) for figures in impressions] for index in range(len(areas))]
        if sum(figures.unique_users for area in clicks for figures in area) < MIN_USERS:
            return HttpResponse({"richMenuId": menu.id})
        return HttpResponse(
            {
                "richMenuId": menu.id,
                "metricsFrom": f"{days[0]:%Y%m%d}",
                "metricsTo": f"{days[-1]:%Y%m%d}",
                "impression": {"metrics": metrics(impressions)},
                "clicks": [
                    {"bounds": area["bounds"], "metrics": metrics(figures)}
                    for area, figures in zip(areas, clicks, strict=True)
                ],
            }
        )

    def _days(self, request: HttpRequest, menu: RichMenu, max_days: int) -> list[date]:
        """Return the requested days that have figures: from the menu's creation to yesterday."""
        first, last = read_date(request.query_parameter("from")), read_date(request.query_parameter("to"))
        if first is None or last is None:
            raise InvalidRequest("Bad Request")
        today = self._clock.today()
        oldest = today - timedelta(days=_RETENTION_DAYS)
        if last < first:
            raise InvalidRequest("Parameter to must be the same date as, or after parameter from.")
        if (last - first).days > max_days:
            raise InvalidRequest(f"Date range exceeds. Max range is {max_days} days.")
        if first < oldest:
            raise InvalidRequest(f"Parameter from must be the same date as, or after {oldest.isoformat()}.")
        first, last = max(first, line_date(menu.created_at)), min(last, today - timedelta(days=1))
        return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]

    def _impressions(self, menu: RichMenu, day: date) -> _DayFigures:
        counts = self._follower_history.counts(day)
        users = int((counts.followers - counts.blocks) * _SEEN_FRACTION * self._fraction(menu, day, 0))
        return _DayFigures(day, int(users * _EVENTS_PER_USER), users)

    def _clicks(self, menu: RichMenu, area_index: int, impressions: _DayFigures) -> _DayFigures:
        fraction = self._fraction(menu, impressions.date, 1 + area_index)
        users = int(impressions.unique_users * _CLICKED_FRACTION * fraction)
        return _DayFigures(impressions.date, int(users * _EVENTS_PER_USER), users)

    def _fraction(self, menu: RichMenu, day: date, figure: int) -> float:
        return self._random.fraction(int(menu.id[-12:], 16) << 40 | day.toordinal() << 8 | figure)


def _total(figures: Sequence[_DayFigures]) -> dict[str, int]:
    return {"count": sum(day.count for day in figures), "uniqueUsers": sum(day.unique_users for day in figures)}


def _by_day(figures: Sequence[_DayFigures]) -> list[dict[str, Any]]:
    return [{"date": f"{day.date:%Y%m%d}", "count": day.count, "uniqueUsers": day.unique_users} for day in figures]
