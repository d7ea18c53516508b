"""Coupons.

Source: LINE Messaging API reference, "Coupon".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.coupons.state import Coupons
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_STATUSES = ("DRAFT", "RUNNING", "CLOSED")


def add_routes(router: Router, *, clock: Clock, coupons: Coupons, page_tokens: PageTokens) -> None:
    """Add the routes of this module."""
    endpoints = _Coupons(clock=clock, coupons=coupons, page_tokens=page_tokens)
    router.add("GET /v2/bot/coupon", endpoints.all)
    router.add("POST /v2/bot/coupon", endpoints.create)
    router.add("GET /v2/bot/coupon/{couponId}", endpoints.get)
    router.add("PUT /v2/bot/coupon/{couponId}/close", endpoints.close)


class _Coupons:
    def __init__(self, *, clock: Clock, coupons: Coupons, page_tokens: PageTokens) -> None:
        self._clock = clock
        self._coupons = coupons
        self._page_tokens = page_tokens

    def all(self, request: HttpRequest) -> HttpResponse:
        statuses = request.query.get("status", [])
        if any(status not in _STATUSES for status in statuses):
            words = f"Must be one of the following values: [{','.join(_STATUSES)}]"
            raise InvalidRequest.with_details(Problem("status", words))
        limit = request.query_integer("limit", _DEFAULT_LIMIT)
        if limit > _MAX_LIMIT:
            raise InvalidRequest.with_details(Problem("limit", f"Must be less than or equal to {_MAX_LIMIT}"))
        if limit < 1:
            raise InvalidRequest.with_details(Problem("limit", "Must be greater than or equal to 1"))
        listing = f"coupons:{','.join(sorted(statuses))}"
        first, page = self._page_tokens.read(listing, request.query_parameter("start"))
        coupons = self._coupons.all(statuses)
        items = [{"couponId": one.id, "title": one.content["title"]} for one in coupons[first : first + limit]]
        content: dict[str, Any] = {"items": items}
        if first + limit < len(coupons):
            content["next"] = self._page_tokens.issue(listing, first + limit, page + 1)
        return HttpResponse(content)

    def create(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse({"couponId": self._coupons.create(read_body(request, "requests.json#/$defs/coupon")).id})

    def get(self, request: HttpRequest) -> HttpResponse:
        coupon = self._coupons.find(request.path_parameters["couponId"])
        return HttpResponse(
            {
                "couponId": coupon.id,
                **coupon.content,
                "maxTicketPerUser": 1,
                "status": coupon.status(self._clock.now()),
                "createdTimestamp": int(coupon.created),
            }
        )

    def close(self, request: HttpRequest) -> HttpResponse:
        self._coupons.close(request.path_parameters["couponId"])
        return HttpResponse({})
