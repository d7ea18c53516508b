"""Endpoints for the statistics of followers and of sent messages.

Source: LINE Messaging API reference, "Insights".
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.parameters import read_date
from line_sandbox.http.response import HttpResponse
from line_sandbox.insight.friend_demographics import friend_demographics
from line_sandbox.insight.statistics_response import request_response, unit_response
from line_sandbox.usage.delivery_counts import DeliveryMethod
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.message_statistics import MessageStatistics
    from line_sandbox.usage.delivery_counts import DeliveryCounts
    from line_sandbox.users.demographics import DemographicsEstimator
    from line_sandbox.users.follower_history import FollowerHistory
    from line_sandbox.users.state import Users

FIRST_DAY_OF_FOLLOWERS = date(2016, 11, 1)
FIRST_DAY_OF_DELIVERIES = date(2017, 3, 1)

_MIN_FRIENDS_FOR_DEMOGRAPHICS = 20
_DEMOGRAPHICS_SAMPLE_SIZE = 2000
_MAX_UNIT_DAYS = 30
_MAX_UNIT_LENGTH = 30
_NOTIFICATION_METHODS = (DeliveryMethod.PNP, DeliveryMethod.PNP_TEMPLATED)
_API_METHODS = {
    "apiBroadcast": DeliveryMethod.BROADCAST,
    "apiPush": DeliveryMethod.PUSH,
    "apiMulticast": DeliveryMethod.MULTICAST,
    "apiNarrowcast": DeliveryMethod.NARROWCAST,
    "apiReply": DeliveryMethod.REPLY,
}


class AcceptedNarrowcast(Protocol):
    """A narrowcast that may not be delivered yet."""

    accepted_at: float
    """Seconds since 1970."""


class NarrowcastLookup(Protocol):
    """Finds narrowcasts by request id."""

    def find(self, request_id: str) -> AcceptedNarrowcast:
        """Return a narrowcast, or raise `NotFound`."""


class UnitStatisticsErrorResponse(InvalidRequest):
    """The error response of "Get statistics per unit": all fields are null."""

    def __init__(self) -> None:
        super().__init__("")

    def body(self) -> dict[str, Any]:
        """Return the body, as shown in LINE's reference."""
        return dict.fromkeys(("message", "key", "stacktrace", "code"))


def add_routes(  # noqa: PLR0913 - the states that the endpoints read, all by keyword
    router: Router,
    *,
    clock: Clock,
    users: Users,
    demographics: DemographicsEstimator,
    follower_history: FollowerHistory,
    delivery_counts: DeliveryCounts,
    statistics: MessageStatistics,
    narrowcasts: NarrowcastLookup,
) -> None:
    """Add the routes of this module."""
    followers = _FollowerRoutes(users, demographics, follower_history, clock)
    router.add("GET /v2/bot/insight/followers", followers.counts)
    router.add("GET /v2/bot/insight/demographic", followers.demographics)
    messages = _StatisticsRoutes(delivery_counts, statistics, narrowcasts, clock)
    router.add("GET /v2/bot/insight/message/delivery", messages.deliveries)
    router.add("GET /v2/bot/insight/message/event", messages.of_request)
    router.add("GET /v2/bot/insight/message/event/aggregation", messages.of_unit)


class _FollowerRoutes:
    def __init__(
        self, users: Users, demographics: DemographicsEstimator, history: FollowerHistory, clock: Clock
    ) -> None:
        self._users = users
        self._demographics = demographics
        self._history = history
        self._clock = clock

    def counts(self, request: HttpRequest) -> HttpResponse:
        if request.query_parameter("date") is None:
            raise InvalidRequest("date is required")
        day = _date(request)
        status = _status(day, FIRST_DAY_OF_FOLLOWERS, self._clock)
        if status != "ready":
            return HttpResponse({"status": status, "followers": None, "targetedReaches": None, "blocks": None})
        counts = self._history.counts(day)
        return HttpResponse(
            {
                "status": status,
                "followers": counts.followers,
                "targetedReaches": counts.targeted_reaches,
                "blocks": counts.blocks,
            }
        )

    def demographics(self, _: HttpRequest) -> HttpResponse:
        friends = self._users.in_state(UserState.FOLLOWING)
        if len(friends) < _MIN_FRIENDS_FOR_DEMOGRAPHICS:
            names = ("genders", "ages", "areas", "appTypes", "subscriptionPeriods")
            return HttpResponse({"available": False} | {name: [] for name in names})
        step = max(1, len(friends) // _DEMOGRAPHICS_SAMPLE_SIZE)
        sample = [self._demographics.estimate(number) for number in friends[::step]]
        return HttpResponse({"available": True, **friend_demographics(sample)})


class _StatisticsRoutes:
    def __init__(
        self, counts: DeliveryCounts, statistics: MessageStatistics, narrowcasts: NarrowcastLookup, clock: Clock
    ) -> None:
        self._counts = counts
        self._statistics = statistics
        self._narrowcasts = narrowcasts
        self._clock = clock

    def deliveries(self, request: HttpRequest) -> HttpResponse:
        day = _date(request)
        status = _status(day, FIRST_DAY_OF_DELIVERIES, self._clock)
        if status != "ready":
            return HttpResponse({"status": status})
        by_api = {name: self._counts.sent_by_api(day, method) for name, method in _API_METHODS.items()}
        by_api["pnpNoticeMessage"] = sum(self._counts.sent_by_api(day, method) for method in _NOTIFICATION_METHODS)
        # LINE omits counts that are zero.
        sent = {name: count for name, count in (self._counts.sent_manually(day) | by_api).items() if count}
        return HttpResponse({"status": status, **sent})

    def of_request(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id:
            raise InvalidRequest.for_parameter("requestId")
        statistics = self._statistics.of_request(request_id)
        if statistics is None:
            narrowcast = self._narrowcasts.find(request_id)
            overview = {"requestId": request_id, "timestamp": int(narrowcast.accepted_at), "delivered": None}
            return HttpResponse({"overview": overview, "messages": [], "clicks": []})
        return HttpResponse(request_response(statistics))

    def of_unit(self, request: HttpRequest) -> HttpResponse:
        unit = request.query_parameter("customAggregationUnit")
        first, last = read_date(request.query_parameter("from")), read_date(request.query_parameter("to"))
        if not unit or len(unit) > _MAX_UNIT_LENGTH or first is None or last is None:
            raise UnitStatisticsErrorResponse
        if not 0 <= (last - first).days <= _MAX_UNIT_DAYS:
            raise UnitStatisticsErrorResponse
        return HttpResponse(unit_response(self._statistics.of_unit(unit, first, last)))


def _date(request: HttpRequest) -> date:
    day = read_date(request.query_parameter("date"))
    if day is None:
        raise InvalidRequest("Bad Request")
    return day


def _status(day: date, first_day: date, clock: Clock) -> str:
    """Return LINE's status of a day's figures; they are ready on the next day."""
    if day < first_day:
        return "out_of_service"
    return "ready" if day < clock.today() else "unready"
