"""What sending costs, and how much was sent.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month", "Get number of sent push
messages" and the like, "Get a list of unit names assigned during this month".
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import Forbidden
from line_sandbox.http.parameters import count_parameter, date_parameter
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.counters import Way

if TYPE_CHECKING:
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.history import History
    from line_sandbox.messages.counters import DailyCounters
    from line_sandbox.messages.quota import Quota
    from line_sandbox.messages.units import Units

COUNTED_SINCE = date(2018, 3, 31)

_MAX_UNITS = 100
_LISTING = "units"


def add_routes(  # noqa: PLR0913 - each dependency by keyword
    router: Router, *, counters: DailyCounters, history: History, page_tokens: PageTokens, quota: Quota, units: Units
) -> None:
    """Add the routes of this module."""
    endpoints = _Counts(counters=counters, history=history, page_tokens=page_tokens, quota=quota, units=units)
    router.add("GET /v2/bot/message/quota", endpoints.quota)
    router.add("GET /v2/bot/message/quota/consumption", endpoints.consumption)
    for way in (Way.REPLY, Way.PUSH, Way.MULTICAST, Way.BROADCAST):
        router.add(f"GET /v2/bot/message/delivery/{way}", endpoints.sent)
    router.add("GET /v2/bot/message/delivery/pnp", endpoints.sent_by_phone_number)
    router.add("GET /v2/bot/message/aggregation/info", endpoints.unit_count)
    router.add("GET /v2/bot/message/aggregation/list", endpoints.unit_names)


class _Counts:
    def __init__(
        self, *, counters: DailyCounters, history: History, page_tokens: PageTokens, quota: Quota, units: Units
    ) -> None:
        self._counters = counters
        self._history = history
        self._page_tokens = page_tokens
        self._quota = quota
        self._units = units

    def quota(self, _: HttpRequest) -> HttpResponse:
        limit = self._quota.limit
        return HttpResponse({"type": "none"} if limit is None else {"type": "limited", "value": limit})

    def consumption(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"totalUsage": self._quota.used})

    def sent(self, request: HttpRequest) -> HttpResponse:
        way = Way(request.path.rpartition("/")[2])
        day = date_parameter(request, "date")
        if day < COUNTED_SINCE:
            return HttpResponse({"status": "out_of_service"})
        history = self._history
        if not history.is_counted(day):
            return HttpResponse({"status": "unready"})
        sent = self._counters.get(day, way) + history.sent_before(day, way)
        return HttpResponse({"status": "ready", "success": sent})

    def sent_by_phone_number(self, _: HttpRequest) -> HttpResponse:
        raise Forbidden.for_account_type()

    def unit_count(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"numOfCustomAggregationUnits": len(self._units.names())})

    def unit_names(self, request: HttpRequest) -> HttpResponse:
        limit = count_parameter(request, "limit", _MAX_UNITS, maximum=_MAX_UNITS)
        names = self._units.names()
        first, page = self._page_tokens.read(_LISTING, request.query_parameter("start"))
        content: dict[str, Any] = {"customAggregationUnits": names[first : first + limit]}
        if first + limit < len(names):
            content["next"] = self._page_tokens.issue(_LISTING, first + limit, page + 1)
        return HttpResponse(content)
