"""Coupons.

Source: LINE Messaging API reference, "Coupon".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_STATUSES = ("DRAFT", "RUNNING", "CLOSED")


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Coupons(platform)
    router.add("GET /v2/bot/coupon", endpoints.all)
    router.add("POST /v2/bot/coupon", endpoints.create)
    router.add("GET /v2/bot/coupon/{couponId}", endpoints.get)
    router.add("PUT /v2/bot/coupon/{couponId}/close", endpoints.close)


class _Coupons:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._coupons = platform.coupons

    def all(self, request: Request) -> Reply:
        statuses = request.query.get("status", [])
        if any(status not in _STATUSES for status in statuses):
            words = f"Must be one of the following values: [{','.join(_STATUSES)}]"
            raise InvalidRequest.because(Problem("status", words))
        limit = request.integer("limit", _DEFAULT_LIMIT)
        if limit > _MAX_LIMIT:
            raise InvalidRequest.because(Problem("limit", f"Must be less than or equal to {_MAX_LIMIT}"))
        if limit < 1:
            raise InvalidRequest.because(Problem("limit", "Must be greater than or equal to 1"))
        listing = f"coupons:{','.join(sorted(statuses))}"
        first, page = self._platform.page_tokens.start(listing, request.parameter("start"))
        coupons = self._coupons.all(statuses)
        items = [{"couponId": one.id, "title": one.content["title"]} for one in coupons[first : first + limit]]
        content: dict[str, Any] = {"items": items}
        if first + limit < len(coupons):
            content["next"] = self._platform.page_tokens.issue(listing, first + limit, page + 1)
        return Reply(content)

    def create(self, request: Request) -> Reply:
        return Reply({"couponId": self._coupons.create(read_body(request, "requests.json#/$defs/coupon")).id})

    def get(self, request: Request) -> Reply:
        coupon = self._coupons.find(request.path_parameters["couponId"])
        return Reply(
            {
                "couponId": coupon.id,
                **coupon.content,
                "maxTicketPerUser": 1,
                "status": coupon.status(self._platform.clock.now()),
                "createdTimestamp": int(coupon.created),
            }
        )

    def close(self, request: Request) -> Reply:
        self._coupons.close(request.path_parameters["couponId"])
        return Reply({})
