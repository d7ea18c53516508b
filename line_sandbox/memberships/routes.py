"""Memberships.

Source: LINE Messaging API reference, "Membership".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.http.parameters import count_parameter, line_id_parameter
from line_sandbox.http.response import HttpResponse
from line_sandbox.memberships.state import PLANS, Plan

if TYPE_CHECKING:
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.memberships.state import Memberships
    from line_sandbox.users.state import Users

_DEFAULT_LIMIT = 300
_MAX_LIMIT = 1000


def add_routes(router: Router, *, memberships: Memberships, page_tokens: PageTokens, users: Users) -> None:
    """Add the routes of this module."""
    endpoints = _Memberships(memberships=memberships, page_tokens=page_tokens, users=users)
    router.add("GET /v2/bot/membership/list", endpoints.plans)
    router.add("GET /v2/bot/membership/subscription/{userId}", endpoints.subscription)
    router.add("GET /v2/bot/membership/{membershipId}/users/ids", endpoints.member_ids)


class _Memberships:
    def __init__(self, *, memberships: Memberships, page_tokens: PageTokens, users: Users) -> None:
        self._memberships = memberships
        self._page_tokens = page_tokens
        self._users = users

    def plans(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse(
            {
                "memberships": [
                    _plan(plan)
                    | {
                        "memberCount": self._memberships.member_count(plan),
                        "memberLimit": plan.member_limit,
                        "isInAppPurchase": plan.is_in_app_purchase,
                        "isPublished": True,
                    }
                    for plan in PLANS
                ]
            }
        )

    def subscription(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        if number is None:
            raise NotFound
        subscriptions = [
            {
                "membership": _plan(subscription.plan),
                "user": {
                    "membershipNo": subscription.member_number,
                    "joinedTime": subscription.joined_at,
                    "nextBillingDate": subscription.next_billing.isoformat(),
                    "totalSubscriptionMonths": subscription.months,
                },
            }
            for subscription in self._memberships.subscriptions(number)
        ]
        return HttpResponse({"subscriptions": subscriptions})

    def member_ids(self, request: HttpRequest) -> HttpResponse:
        text = request.path_parameters["membershipId"]
        if not text.isdecimal():
            raise InvalidRequest.for_parameter("membershipId")
        plan = self._memberships.plan(int(text))
        limit = count_parameter(request, "limit", _DEFAULT_LIMIT, maximum=_MAX_LIMIT)
        tokens, users = self._page_tokens, self._users
        listing = f"membership:{plan.number}"
        first, page = tokens.read(listing, request.query_parameter("start"))
        members = self._memberships.members(plan)
        # Who has left LINE or blocked the account is not listed, and leaves a gap.
        numbers = [number for number in members[first : first + limit] if users.is_following(number)]
        content: dict[str, Any] = {"userIds": [users.line_id(number) for number in numbers]}
        if first + limit < len(members):
            content["next"] = tokens.issue(listing, first + limit, page + 1)
        return HttpResponse(content)


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "membershipId": plan.number,
        "title": plan.title,
        "description": plan.description,
        "benefits": plan.benefits,
        "price": plan.price,
        "currency": "JPY",
    }
