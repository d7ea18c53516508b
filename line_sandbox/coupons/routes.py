"""Endpoints for coupons.

Source: LINE Messaging API reference, "Coupon".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.coupons.state import CouponStore
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_SPACE_IN_LIST = re.compile(r", (?=[^\[]*\]$)")
_STATUSES = ("DRAFT", "RUNNING", "CLOSED")


def add_routes(router: Router, *, coupons: CouponStore, page_tokens: PageTokens, clock: Clock) -> None:
    """Add the routes of this module."""
    routes = _CouponRoutes(coupons, page_tokens, clock)
    router.add("GET /v2/bot/coupon", routes.list_coupons)
    router.add("POST /v2/bot/coupon", routes.create)
    router.add("GET /v2/bot/coupon/{couponId}", routes.get)
    router.add("PUT /v2/bot/coupon/{couponId}/close", routes.close)


def _error(_: dict[str, Any], problems: Sequence[Problem]) -> InvalidRequest:
    """Return the response to an invalid coupon: LINE lists allowed values without spaces here."""
    return InvalidRequest.with_details(
        *(problem._replace(message=_SPACE_IN_LIST.sub(",", problem.message)) for problem in problems)
    )


class _CouponRoutes:
    def __init__(self, coupons: CouponStore, page_tokens: PageTokens, clock: Clock) -> None:
        self._coupons = coupons
        self._page_tokens = page_tokens
        self._clock = clock

    def list_coupons(self, request: HttpRequest) -> HttpResponse:
        statuses = request.query.get("status", [])
        if any(status not in _STATUSES for status in statuses):
            message = f"Must be one of the following values: [{','.join(_STATUSES)}]"
            raise InvalidRequest.with_details(Problem("status", message))
        limit = request.query_integer("limit", _DEFAULT_LIMIT)
        if limit > _MAX_LIMIT:
            raise InvalidRequest.with_details(Problem("limit", f"Must be less than or equal to {_MAX_LIMIT}"))
        if limit < 1:
            raise InvalidRequest.with_details(Problem("limit", "Must be greater than or equal to 1"))
        listing = f"coupons:{','.join(sorted(statuses))}"
        coupons, next_token = self._page_tokens.paginate(
            listing, self._coupons.all(statuses), limit, request.query_parameter("start")
        )
        items = [{"couponId": coupon.id, "title": coupon.content["title"]} for coupon in coupons]
        return HttpResponse({"items": items, **next_token})

    def create(self, request: HttpRequest) -> HttpResponse:
        coupon = self._coupons.create(read_body(request, "coupons.json#/$defs/coupon", error=_error))
        return HttpResponse({"couponId": coupon.id})

    def get(self, request: HttpRequest) -> HttpResponse:
        coupon = self._coupons.find(request.path_parameters["couponId"])
        return HttpResponse(
            {
                "couponId": coupon.id,
                **coupon.content,
                "maxTicketPerUser": 1,
                "status": coupon.status(self._clock.now()),
                "createdTimestamp": int(coupon.created_at),
            }
        )

    def close(self, request: HttpRequest) -> HttpResponse:
        self._coupons.close(request.path_parameters["couponId"])
        return HttpResponse({})
