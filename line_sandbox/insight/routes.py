"""Insight: who follows, what was sent, what came of it.

Source: LINE Messaging API reference, "Insights".
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.parameters import read_date
from line_sandbox.http.response import HttpResponse
from line_sandbox.insight.demographics import age_band, friendship_band
from line_sandbox.insight.figures import request_figures, unit_figures
from line_sandbox.insight.history import DELIVERIES_KNOWN_SINCE, FOLLOWERS_KNOWN_SINCE
from line_sandbox.messages.counters import Way
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.demographics import Demographics, Person
    from line_sandbox.insight.history import History
    from line_sandbox.insight.statistics import Statistics
    from line_sandbox.messages.counters import DailyCounters
    from line_sandbox.messages.narrowcasts import Narrowcasts
    from line_sandbox.users.state import Users

_FEWEST_FRIENDS = 20
_SURVEYED = 2000
_LONGEST_UNIT_DAYS = 30
_UNIT_LENGTH = 30
_API_WAYS = {
    "apiBroadcast": Way.BROADCAST,
    "apiPush": Way.PUSH,
    "apiMulticast": Way.MULTICAST,
    "apiNarrowcast": Way.NARROWCAST,
    "apiReply": Way.REPLY,
}


class UnitStatisticsErrorResponse(InvalidRequest):
    """LINE's answer where statistics per unit cannot be had: an error body without words."""

    def body(self) -> dict[str, Any]:
        """The body, as LINE's reference shows it."""
        return dict.fromkeys(("message", "key", "stacktrace", "code"))


def add_routes(  # noqa: PLR0913 - each dependency by keyword
    router: Router,
    *,
    counters: DailyCounters,
    demographics: Demographics,
    history: History,
    narrowcasts: Narrowcasts,
    statistics: Statistics,
    users: Users,
) -> None:
    """Add the routes of this module."""
    endpoints = _Insight(
        counters=counters,
        demographics=demographics,
        history=history,
        narrowcasts=narrowcasts,
        statistics=statistics,
        users=users,
    )
    router.add("GET /v2/bot/insight/followers", endpoints.followers)
    router.add("GET /v2/bot/insight/message/delivery", endpoints.deliveries)
    router.add("GET /v2/bot/insight/demographic", endpoints.demographics)
    router.add("GET /v2/bot/insight/message/event", endpoints.message_events)
    router.add("GET /v2/bot/insight/message/event/aggregation", endpoints.unit_events)


class _Insight:
    def __init__(  # noqa: PLR0913 - as above
        self,
        *,
        counters: DailyCounters,
        demographics: Demographics,
        history: History,
        narrowcasts: Narrowcasts,
        statistics: Statistics,
        users: Users,
    ) -> None:
        self._counters = counters
        self._demographics = demographics
        self._history = history
        self._narrowcasts = narrowcasts
        self._statistics = statistics
        self._users = users

    def followers(self, request: HttpRequest) -> HttpResponse:
        if request.query_parameter("date") is None:
            raise InvalidRequest("date is required")
        day = _day(request)
        status = self._status(day, FOLLOWERS_KNOWN_SINCE)
        if status != "ready":
            return HttpResponse({"status": status, "followers": None, "targetedReaches": None, "blocks": None})
        friends = self._history.friends(day)
        return HttpResponse(
            {
                "status": status,
                "followers": friends.followers,
                "targetedReaches": friends.targeted_reaches,
                "blocks": friends.blocks,
            }
        )

    def deliveries(self, request: HttpRequest) -> HttpResponse:
        day = _day(request)
        status = self._status(day, DELIVERIES_KNOWN_SINCE)
        if status != "ready":
            return HttpResponse({"status": status})
        history, counters = self._history, self._counters
        by_api = {name: counters.get(day, way) + history.sent_before(day, way) for name, way in _API_WAYS.items()}
        # What there was none of is left out.
        sent = {name: count for name, count in (history.sent_by_hand(day) | by_api).items() if count}
        return HttpResponse({"status": status, **sent})

    def demographics(self, _: HttpRequest) -> HttpResponse:
        friends = self._users.crowd(UserState.FOLLOWING)
        if len(friends) < _FEWEST_FRIENDS:
            names = ("genders", "ages", "areas", "appTypes", "subscriptionPeriods")
            return HttpResponse({"available": False} | {name: [] for name in names})
        step = max(1, len(friends) // _SURVEYED)
        people = [self._demographics.person(number) for number in friends[::step]]
        return HttpResponse({"available": True, **_survey(people)})

    def message_events(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id:
            raise InvalidRequest.for_parameter("requestId")
        statistics = self._statistics.of_request(request_id)
        if statistics is None:
            narrowcast = self._narrowcasts.find(request_id)
            overview = {"requestId": request_id, "timestamp": int(narrowcast.accepted_at), "delivered": None}
            return HttpResponse({"overview": overview, "messages": [], "clicks": []})
        return HttpResponse(request_figures(statistics))

    def unit_events(self, request: HttpRequest) -> HttpResponse:
        unit = request.query_parameter("customAggregationUnit")
        first, last = read_date(request.query_parameter("from")), read_date(request.query_parameter("to"))
        if not unit or len(unit) > _UNIT_LENGTH or first is None or last is None:
            raise UnitStatisticsErrorResponse("")
        if not 0 <= (last - first).days <= _LONGEST_UNIT_DAYS:
            raise UnitStatisticsErrorResponse("")
        return HttpResponse(unit_figures(self._statistics.of_unit(unit, first, last)))

    def _status(self, day: date, known_since: date) -> str:
        if day < known_since:
            return "out_of_service"
        return "ready" if self._history.is_counted(day) else "unready"


def _day(request: HttpRequest) -> date:
    day = read_date(request.query_parameter("date"))
    if day is None:
        raise InvalidRequest("Bad Request")
    return day


def _survey(people: list[Person]) -> dict[str, list[dict[str, Any]]]:
    return {
        "genders": _shares("gender", (person.gender or "unknown" for person in people)),
        "ages": _shares("age", (age_band(person.age) for person in people)),
        "areas": _shares("area", (person.area_name for person in people)),
        "appTypes": _shares("appType", (person.app_type or "others" for person in people)),
        "subscriptionPeriods": _shares(
            "subscriptionPeriod", (friendship_band(person.friend_days) for person in people)
        ),
    }


def _shares(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    counts = Counter(values)
    total = counts.total()
    return [{name: value, "percentage": round(100 * count / total, 1)} for value, count in counts.most_common()]
