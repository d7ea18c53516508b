"""LINE's official SDK reads membership plans, members and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient, Sdk


async def test_memberships_list_plans_members_and_subscriptions(sdk: Sdk, sandbox: SandboxClient) -> None:
    plans = (await sdk.messaging.get_membership_list()).memberships
    assert [plan.title for plan in plans] == ["Basic plan", "Premium plan"]
    plan = plans[0]
    first = await sdk.messaging.get_joined_membership_users(plan.membership_id, limit=15)
    rest = await sdk.messaging.get_joined_membership_users(plan.membership_id, limit=15, start=first.next)
    assert len(first.user_ids) + len(rest.user_ids) == plan.member_count == 20
    assert rest.next is None
    subscription = (await sdk.messaging.get_membership_subscription(first.user_ids[2])).subscriptions[0]
    assert (subscription.membership.membership_id, subscription.user.membership_no) == (plan.membership_id, 3)
    assert sandbox.request("GET", f"/v2/bot/membership/subscription/{sandbox.followers(1)[0]}").status_code == 404
    assert sandbox.request("GET", "/v2/bot/membership/1/users/ids").json() == {"message": "Membership ID is not found"}
    assert sandbox.request("GET", "/v2/bot/membership/x/users/ids").status_code == 400
