"""Insight: who follows, what was sent, what came of it.

Source: LINE Messaging API reference, "Insights".
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.insight.demographics import age_band, friendship_band
from line_sandbox.insight.figures import request_figures, unit_figures
from line_sandbox.insight.history import DELIVERIES_KNOWN_SINCE, FOLLOWERS_KNOWN_SINCE
from line_sandbox.messages.counters import Way
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import read_date
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from line_sandbox.insight.demographics import Person
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

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


class UnitStatisticsRefusal(InvalidRequest):
    """LINE's answer where statistics per unit cannot be had: an error body without words."""

    def body(self) -> dict[str, Any]:
        """The body, as LINE's reference shows it."""
        return dict.fromkeys(("message", "key", "stacktrace", "code"))


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Insight(platform)
    router.add("GET /v2/bot/insight/followers", endpoints.followers)
    router.add("GET /v2/bot/insight/message/delivery", endpoints.deliveries)
    router.add("GET /v2/bot/insight/demographic", endpoints.demographics)
    router.add("GET /v2/bot/insight/message/event", endpoints.message_events)
    router.add("GET /v2/bot/insight/message/event/aggregation", endpoints.unit_events)


class _Insight:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def followers(self, request: Request) -> Reply:
        if request.parameter("date") is None:
            raise InvalidRequest("date is required")
        day = _day(request)
        status = self._status(day, FOLLOWERS_KNOWN_SINCE)
        if status != "ready":
            return Reply({"status": status, "followers": None, "targetedReaches": None, "blocks": None})
        friends = self._platform.history.friends(day)
        return Reply(
            {
                "status": status,
                "followers": friends.followers,
                "targetedReaches": friends.targeted_reaches,
                "blocks": friends.blocks,
            }
        )

    def deliveries(self, request: Request) -> Reply:
        day = _day(request)
        status = self._status(day, DELIVERIES_KNOWN_SINCE)
        if status != "ready":
            return Reply({"status": status})
        history, counters = self._platform.history, self._platform.counters
        by_api = {name: counters.get(day, way) + history.sent_before(day, way) for name, way in _API_WAYS.items()}
        # What there was none of is left out.
        sent = {name: count for name, count in (history.sent_by_hand(day) | by_api).items() if count}
        return Reply({"status": status, **sent})

    def demographics(self, _: Request) -> Reply:
        platform = self._platform
        friends = platform.users.crowd(UserState.FOLLOWING)
        if len(friends) < _FEWEST_FRIENDS:
            names = ("genders", "ages", "areas", "appTypes", "subscriptionPeriods")
            return Reply({"available": False} | {name: [] for name in names})
        step = max(1, len(friends) // _SURVEYED)
        people = [platform.demographics.person(number) for number in friends[::step]]
        return Reply({"available": True, **_survey(people)})

    def message_events(self, request: Request) -> Reply:
        request_id = request.parameter("requestId")
        if not request_id:
            raise InvalidRequest.parameter("requestId")
        statistics = self._platform.statistics.of_request(request_id)
        if statistics is None:
            narrowcast = self._platform.narrowcasts.find(request_id)
            overview = {"requestId": request_id, "timestamp": int(narrowcast.accepted_at), "delivered": None}
            return Reply({"overview": overview, "messages": [], "clicks": []})
        return Reply(request_figures(statistics))

    def unit_events(self, request: Request) -> Reply:
        unit = request.parameter("customAggregationUnit")
        first, last = read_date(request.parameter("from")), read_date(request.parameter("to"))
        if not unit or len(unit) > _UNIT_LENGTH or first is None or last is None:
            raise UnitStatisticsRefusal("")
        if not 0 <= (last - first).days <= _LONGEST_UNIT_DAYS:
            raise UnitStatisticsRefusal("")
        return Reply(unit_figures(self._platform.statistics.of_unit(unit, first, last)))

    def _status(self, day: date, known_since: date) -> str:
        if day < known_since:
            return "out_of_service"
        return "ready" if self._platform.history.is_counted(day) else "unready"


def _day(request: Request) -> date:
    day = read_date(request.parameter("date"))
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
