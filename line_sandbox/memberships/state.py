"""Membership plans and their members: a function of the seed, and of who follows.

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
_SUBSCRIBED_WITHIN_DAYS = 300
_BILLING_DAYS = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """A membership plan."""

    number: int
    title: str
    description: str
    benefits: tuple[str, ...]
    price: float
    member_limit: int | None
    is_in_app_purchase: bool
    first: int
    """The number of the first member; LINE does not tell it."""
    every: int
    """From there, one person in so many is a member."""


PLANS = (
    Plan(
        number=3189,
        title="Basic plan",
        description="A letter every Saturday.",
        benefits=("Letters", "Photos"),
        price=500.0,
        member_limit=None,
        is_in_app_purchase=True,
        first=7,
        every=50,
    ),
    Plan(
        number=3213,
        title="Premium plan",
        description="An invitation to the yearly party.",
        benefits=("Party",),
        price=1500.0,
        member_limit=100_000,
        is_in_app_purchase=False,
        first=9,
        every=200,
    ),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A person's membership."""

    plan: Plan
    member_number: int
    joined_at: int
    """Seconds since 1970."""
    next_billing: date
    months: int


class Memberships:
    """The membership plans of an account."""

    def __init__(self, users: Users, clock: Clock, seed: int) -> None:
        self._users = users
        self._clock = clock
        self._chance = SeededRandom(seed, "memberships")

    def plan(self, number: int) -> Plan:
        """A plan by its id.

        Raises:
            NotFound: There is none.
        """
        for plan in PLANS:
            if plan.number == number:
                return plan
        raise NotFound("Membership ID is not found")

    def members(self, plan: Plan) -> range:
        """The numbers of the members, those who no longer follow among them."""
        return range(plan.first, self._users.first_former, plan.every)

    def member_count(self, plan: Plan) -> int:
        """How many people are members."""
        return len(self.members(plan))

    def subscriptions(self, number: int) -> list[Subscription]:
        """A person's memberships.

        Raises:
            NotFound: There are none.
        """
        found = [self._subscription(plan, number) for plan in PLANS if number in self.members(plan)]
        if not found:
            raise NotFound
        return found

    def _subscription(self, plan: Plan, number: int) -> Subscription:
        days = self._chance.integer(number) % _SUBSCRIBED_WITHIN_DAYS
        joined = _FIRST_SUBSCRIPTION + timedelta(days=days, seconds=number % 86400)
        periods = (self._clock.today() - line_date(joined.timestamp())).days // _BILLING_DAYS + 1
        return Subscription(
            plan,
            member_number=self.members(plan).index(number) + 1,
            joined_at=int(joined.timestamp()),
            next_billing=line_date(joined.timestamp()) + timedelta(days=periods * _BILLING_DAYS),
            months=periods,
        )
