"""Endpoints for memberships.

Source: LINE Messaging API reference, "Membership".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.http.parameters import count_parameter, line_id_parameter
from line_sandbox.http.response import HttpResponse
from line_sandbox.memberships.state import PLANS, MembershipPlan

if TYPE_CHECKING:
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.memberships.state import MembershipPlans
    from line_sandbox.users.state import Users

_DEFAULT_LIMIT = 300
_MAX_LIMIT = 1000


def add_routes(router: Router, *, memberships: MembershipPlans, users: Users, page_tokens: PageTokens) -> None:
    """Add the routes of this module."""
    routes = _MembershipRoutes(memberships, users, page_tokens)
    router.add("GET /v2/bot/membership/list", routes.plans)
    router.add("GET /v2/bot/membership/subscription/{userId}", routes.subscriptions)
    router.add("GET /v2/bot/membership/{membershipId}/users/ids", routes.member_ids)


class _MembershipRoutes:
    def __init__(self, memberships: MembershipPlans, users: Users, page_tokens: PageTokens) -> None:
        self._memberships = memberships
        self._users = users
        self._page_tokens = page_tokens

    def plans(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse(
            {
                "memberships": [
                    _plan(plan)
                    | {
                        "memberCount": len(self._memberships.members(plan)),
                        "memberLimit": plan.member_limit,
                        "isInAppPurchase": plan.is_in_app_purchase,
                        "isPublished": True,
                    }
                    for plan in PLANS
                ]
            }
        )

    def subscriptions(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        if number is None:
            raise NotFound
        subscriptions = [
            {
                "membership": _plan(subscription.plan),
                "user": {
                    "membershipNo": subscription.member_number,
                    "joinedTime": subscription.joined_at,
                    "nextBillingDate": subscription.next_billing_on.isoformat(),
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
        members, next_token = self._page_tokens.paginate(
            f"membership:{plan.id}", self._memberships.members(plan), limit, request.query_parameter("start")
        )
        # Members who no longer follow the account are omitted, so that a page may have fewer IDs than `limit`.
        line_ids = [self._users.line_id(number) for number in members if self._users.is_following(number)]
        return HttpResponse({"userIds": line_ids, **next_token})


def _plan(plan: MembershipPlan) -> dict[str, Any]:
    return {
        "membershipId": plan.id,
        "title": plan.title,
        "description": plan.description,
        "benefits": plan.benefits,
        "price": plan.price,
        "currency": "JPY",
    }
