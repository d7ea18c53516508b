"""Memberships.

Source: LINE Messaging API reference, "Membership".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.account.routes import line_id_parameter
from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.memberships.state import PLANS, Plan
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import count_parameter

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_DEFAULT_LIMIT = 300
_MAX_LIMIT = 1000


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Memberships(platform)
    router.add("GET /v2/bot/membership/list", endpoints.plans)
    router.add("GET /v2/bot/membership/subscription/{userId}", endpoints.subscription)
    router.add("GET /v2/bot/membership/{membershipId}/users/ids", endpoints.member_ids)


class _Memberships:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def plans(self, _: Request) -> Reply:
        return Reply(
            {
                "memberships": [
                    _plan(plan)
                    | {
                        "memberCount": self._platform.memberships.member_count(plan),
                        "memberLimit": plan.member_limit,
                        "isInAppPurchase": plan.is_in_app_purchase,
                        "isPublished": True,
                    }
                    for plan in PLANS
                ]
            }
        )

    def subscription(self, request: Request) -> Reply:
        number = self._platform.users.number_of(line_id_parameter(request))
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
            for subscription in self._platform.memberships.subscriptions(number)
        ]
        return Reply({"subscriptions": subscriptions})

    def member_ids(self, request: Request) -> Reply:
        text = request.path_parameters["membershipId"]
        if not text.isdecimal():
            raise InvalidRequest.parameter("membershipId")
        plan = self._platform.memberships.plan(int(text))
        limit = count_parameter(request, "limit", _DEFAULT_LIMIT, most=_MAX_LIMIT)
        tokens, users = self._platform.page_tokens, self._platform.users
        listing = f"membership:{plan.number}"
        first, page = tokens.start(listing, request.parameter("start"))
        members = self._platform.memberships.members(plan)
        # Who has left LINE or blocked the account is not listed, and leaves a gap.
        numbers = [number for number in members[first : first + limit] if users.is_following(number)]
        content: dict[str, Any] = {"userIds": [users.line_id(number) for number in numbers]}
        if first + limit < len(members):
            content["next"] = tokens.issue(listing, first + limit, page + 1)
        return Reply(content)


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "membershipId": plan.number,
        "title": plan.title,
        "description": plan.description,
        "benefits": plan.benefits,
        "price": plan.price,
        "currency": "JPY",
    }
