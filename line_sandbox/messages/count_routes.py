"""What sending costs, and how much was sent.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month", "Get number of sent push
messages" and the like, "Get a list of unit names assigned during this month".
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import Forbidden
from line_sandbox.messages.counters import Way
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import count_parameter, date_parameter

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

COUNTED_SINCE = date(2018, 3, 31)

_MAX_UNITS = 100
_LISTING = "units"


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Counts(platform)
    router.add("GET /v2/bot/message/quota", endpoints.quota)
    router.add("GET /v2/bot/message/quota/consumption", endpoints.consumption)
    for way in (Way.REPLY, Way.PUSH, Way.MULTICAST, Way.BROADCAST):
        router.add(f"GET /v2/bot/message/delivery/{way}", endpoints.sent)
    router.add("GET /v2/bot/message/delivery/pnp", endpoints.sent_by_phone_number)
    router.add("GET /v2/bot/message/aggregation/info", endpoints.unit_count)
    router.add("GET /v2/bot/message/aggregation/list", endpoints.unit_names)


class _Counts:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def quota(self, _: Request) -> Reply:
        limit = self._platform.quota.limit
        return Reply({"type": "none"} if limit is None else {"type": "limited", "value": limit})

    def consumption(self, _: Request) -> Reply:
        return Reply({"totalUsage": self._platform.quota.used})

    def sent(self, request: Request) -> Reply:
        way = Way(request.path.rpartition("/")[2])
        day = date_parameter(request, "date")
        if day < COUNTED_SINCE:
            return Reply({"status": "out_of_service"})
        history = self._platform.history
        if not history.is_counted(day):
            return Reply({"status": "unready"})
        sent = self._platform.counters.get(day, way) + history.sent_before(day, way)
        return Reply({"status": "ready", "success": sent})

    def sent_by_phone_number(self, _: Request) -> Reply:
        raise Forbidden.account()

    def unit_count(self, _: Request) -> Reply:
        return Reply({"numOfCustomAggregationUnits": len(self._platform.units.names())})

    def unit_names(self, request: Request) -> Reply:
        limit = count_parameter(request, "limit", _MAX_UNITS, most=_MAX_UNITS)
        names = self._platform.units.names()
        first, page = self._platform.page_tokens.start(_LISTING, request.parameter("start"))
        content: dict[str, Any] = {"customAggregationUnits": names[first : first + limit]}
        if first + limit < len(names):
            content["next"] = self._platform.page_tokens.issue(_LISTING, first + limit, page + 1)
        return Reply(content)
