"""Membership plans and their members. Members are computed from the seed.

Source: LINE Messaging API reference, "Membership".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import NotFound
from line_sandbox.foundation.clock import line_date
from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from datetime import date

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.users.state import Users

_FIRST_SUBSCRIPTION = datetime(2025, 1, 1, tzinfo=UTC)
_SUBSCRIPTION_PERIOD_DAYS = 300
_BILLING_PERIOD_DAYS = 30
_SECONDS_PER_DAY = 86400


@dataclass(frozen=True, slots=True)
class MembershipPlan:
    """A membership plan."""

    id: int
    title: str
    description: str
    benefits: tuple[str, ...]
    price: float
    member_limit: int | None
    is_in_app_purchase: bool
    first_member: int
    """User number of the first member; not part of LINE's responses."""
    member_interval: int
    """One user in `member_interval` is a member, from `first_member` on."""


PLANS = (
    MembershipPlan(
        id=3189,
        title="Basic plan",
        description="A letter every Saturday.",
        benefits=("Letters", "Photos"),
        price=500.0,
        member_limit=None,
        is_in_app_purchase=True,
        first_member=7,
        member_interval=50,
    ),
    MembershipPlan(
        id=3213,
        title="Premium plan",
        description="An invitation to the yearly party.",
        benefits=("Party",),
        price=1500.0,
        member_limit=100_000,
        is_in_app_purchase=False,
        first_member=9,
        member_interval=200,
    ),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A user's membership."""

    plan: MembershipPlan
    member_number: int
    joined_at: int
    """Seconds since 1970."""
    next_billing_on: date
    months: int
    """Billing periods since the user joined."""


class MembershipPlans:
    """The account's memberships."""

    def __init__(self, users: Users, clock: Clock, seed: int) -> None:
        self._users = users
        self._clock = clock
        self._random = SeededRandom(seed, "memberships")

    def plan(self, plan_id: int) -> MembershipPlan:
        """Return a plan by its id.

        Raises:
            NotFound: There is no such plan.
        """
        for plan in PLANS:
            if plan.id == plan_id:
                return plan
        raise NotFound("Membership ID is not found")

    def members(self, plan: MembershipPlan) -> range:
        """Return the user numbers of a plan's members, including those who no longer follow the account."""
        return range(plan.first_member, self._users.initial_followers, plan.member_interval)

    def subscriptions(self, number: int) -> list[Subscription]:
        """Return the memberships of a user number.

        Raises:
            NotFound: The user has no membership.
        """
        found = [self._subscription(plan, number) for plan in PLANS if number in self.members(plan)]
        if not found:
            raise NotFound
        return found

    def _subscription(self, plan: MembershipPlan, number: int) -> Subscription:
        days = self._random.integer(number) % _SUBSCRIPTION_PERIOD_DAYS
        joined_at = (_FIRST_SUBSCRIPTION + timedelta(days=days, seconds=number % _SECONDS_PER_DAY)).timestamp()
        joined_on = line_date(joined_at)
        periods = (self._clock.today() - joined_on).days // _BILLING_PERIOD_DAYS + 1
        return Subscription(
            plan,
            member_number=self.members(plan).index(number) + 1,
            joined_at=int(joined_at),
            next_billing_on=joined_on + timedelta(days=periods * _BILLING_PERIOD_DAYS),
            months=periods,
        )
