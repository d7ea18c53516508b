"""Endpoints for the quota, delivery counts and aggregation units.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month", "Get number of sent push
messages" (and the parallel endpoints), "Get a list of unit names assigned during this month".
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from line_sandbox.http.parameters import count_parameter, date_parameter
from line_sandbox.http.response import HttpResponse
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.usage.delivery_counts import DeliveryCounts
    from line_sandbox.usage.state import Usage

FIRST_COUNTED_DAY = date(2018, 3, 31)

_MAX_UNITS = 100
_LISTING = "units"


def add_routes(router: Router, *, usage: Usage, clock: Clock, page_tokens: PageTokens) -> None:
    """Add the routes of this module."""
    routes = _UsageRoutes(usage, clock, page_tokens)
    router.add("GET /v2/bot/message/quota", routes.quota)
    router.add("GET /v2/bot/message/quota/consumption", routes.consumption)
    for method in (DeliveryMethod.REPLY, DeliveryMethod.PUSH, DeliveryMethod.MULTICAST, DeliveryMethod.BROADCAST):
        router.add(f"GET /v2/bot/message/delivery/{method}", routes.sent_messages)
    router.add("GET /v2/bot/message/aggregation/info", routes.unit_count)
    router.add("GET /v2/bot/message/aggregation/list", routes.unit_names)


class SentMessageCounts:
    """Responds to requests for the number of messages sent on a day."""

    def __init__(self, counts: DeliveryCounts, clock: Clock) -> None:
        self._counts = counts
        self._clock = clock

    def respond(self, request: HttpRequest, method: DeliveryMethod) -> HttpResponse:
        """Return the response to a request with the query parameter `date`."""
        day = date_parameter(request, "date")
        if day < FIRST_COUNTED_DAY:
            return HttpResponse({"status": "out_of_service"})
        if day >= self._clock.today():
            return HttpResponse({"status": "unready"})
        return HttpResponse({"status": "ready", "success": self._counts.sent_by_api(day, method)})


class _UsageRoutes:
    def __init__(self, usage: Usage, clock: Clock, page_tokens: PageTokens) -> None:
        self._usage = usage
        self._counts = SentMessageCounts(usage.counts, clock)
        self._page_tokens = page_tokens

    def quota(self, _: HttpRequest) -> HttpResponse:
        limit = self._usage.quota.limit
        return HttpResponse({"type": "none"} if limit is None else {"type": "limited", "value": limit})

    def consumption(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"totalUsage": self._usage.quota.used})

    def sent_messages(self, request: HttpRequest) -> HttpResponse:
        return self._counts.respond(request, DeliveryMethod(request.path.rpartition("/")[2]))

    def unit_count(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"numOfCustomAggregationUnits": len(self._usage.units.names())})

    def unit_names(self, request: HttpRequest) -> HttpResponse:
        limit = count_parameter(request, "limit", _MAX_UNITS, maximum=_MAX_UNITS)
        start = request.query_parameter("start")
        names, next_token = self._page_tokens.paginate(_LISTING, self._usage.units.names(), limit, start)
        return HttpResponse({"customAggregationUnits": names, **next_token})
