"""LINE's rate limits per channel and endpoint.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most `calls` calls in `seconds` seconds."""

    calls: int
    seconds: int


_SECOND, _MINUTE, _HOUR = 1, 60, 3600

OTHER_ENDPOINTS = RateLimit(2000, _SECOND)

RATE_LIMITS: dict[str, RateLimit] = {
    endpoint: limit
    for limit, endpoints in {
        RateLimit(3, _HOUR): ("POST /v2/bot/richmenu/batch",),
        RateLimit(60, _HOUR): (
            "POST /v2/bot/message/narrowcast",
            "POST /v2/bot/message/broadcast",
            "POST /v2/bot/channel/webhook/test",
            "GET /v2/bot/insight/message/delivery",
            "GET /v2/bot/insight/followers",
            "GET /v2/bot/insight/demographic",
            "GET /v2/bot/insight/message/event",
            "GET /v2/bot/insight/message/event/aggregation",
            "GET /v2/bot/insight/richmenu/{richMenuId}/summary",
            "GET /v2/bot/insight/richmenu/{richMenuId}/daily",
        ),
        RateLimit(100, _HOUR): (
            "POST /v2/bot/richmenu",
            "DELETE /v2/bot/richmenu/{richMenuId}",
            "DELETE /v2/bot/richmenu/alias/{richMenuAliasId}",
            "GET /v2/bot/richmenu/progress/batch",
        ),
        RateLimit(60, _MINUTE): (
            "POST /v2/bot/audienceGroup/upload",
            "PUT /v2/bot/audienceGroup/upload",
            "POST /v2/bot/audienceGroup/upload/byFile",
            "PUT /v2/bot/audienceGroup/upload/byFile",
            "POST /v2/bot/audienceGroup/click",
            "POST /v2/bot/audienceGroup/imp",
            "PUT /v2/bot/audienceGroup/{audienceGroupId}/updateDescription",
            "DELETE /v2/bot/audienceGroup/{audienceGroupId}",
            "GET /v2/bot/audienceGroup/{audienceGroupId}",
            "GET /v2/bot/audienceGroup/list",
            "GET /v2/bot/audienceGroup/shared/{audienceGroupId}",
            "GET /v2/bot/audienceGroup/shared/list",
        ),
        RateLimit(1000, _MINUTE): (
            "GET /v2/bot/channel/webhook/endpoint",
            "PUT /v2/bot/channel/webhook/endpoint",
        ),
        RateLimit(10, _SECOND): ("GET /v2/bot/richmenu/list",),
        RateLimit(100, _SECOND): ("POST /v2/bot/chat/loading/start",),
        RateLimit(200, _SECOND): (
            "POST /v2/bot/message/multicast",
            "GET /v2/bot/membership/subscription/{userId}",
            "GET /v2/bot/membership/{membershipId}/users/ids",
            "GET /v2/bot/membership/list",
            "GET /v2/bot/coupon",
            "POST /v2/bot/coupon",
            "GET /v2/bot/coupon/{couponId}",
            "PUT /v2/bot/coupon/{couponId}/close",
        ),
        RateLimit(370, _SECOND): ("POST /v2/oauth/accessToken",),
    }.items()
    for endpoint in endpoints
}


def rate_limit_of(endpoint: str) -> RateLimit:
    """Return the limit of an endpoint, given as method and path template."""
    return RATE_LIMITS.get(endpoint, OTHER_ENDPOINTS)
