"""The number of messages delivered on each day, by delivery method.

Source: LINE Messaging API reference, "Get number of sent push messages" (and the parallel endpoints), "Get number of
message deliveries".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.follower_history import ACCOUNT_CREATED_ON

if TYPE_CHECKING:
    from datetime import date

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.users.follower_history import FollowerHistory


class DeliveryMethod(StrEnum):
    """The Messaging API's ways to send messages."""

    REPLY = "reply"
    PUSH = "push"
    MULTICAST = "multicast"
    NARROWCAST = "narrowcast"
    BROADCAST = "broadcast"
    PNP = "pnp"
    """LINE notification messages (flexible), to phone numbers."""
    PNP_TEMPLATED = "pnp/templated"
    """LINE notification messages (template), to phone numbers."""

    @property
    def counts_to_quota(self) -> bool:
        """Whether messages count to the monthly quota. Replies are free; notification messages are billed apart."""
        return self not in (DeliveryMethod.REPLY, DeliveryMethod.PNP, DeliveryMethod.PNP_TEMPLATED)


class DeliveryCounts:
    """Counts delivered messages by date, in LINE's time zone. Days before the sandbox started are computed."""

    def __init__(self, followers: FollowerHistory, clock: Clock, seed: int) -> None:
        self._followers = followers
        self._clock = clock
        self._random = SeededRandom(seed, "history")
        self._counts: dict[tuple[date, DeliveryMethod], int] = {}

    def add(self, day: date, method: DeliveryMethod, messages: int) -> None:
        """Count messages that were delivered on a day."""
        self._counts[day, method] = self._counts.get((day, method), 0) + messages

    def sent_by_api(self, day: date, method: DeliveryMethod) -> int:
        """Return how many messages were delivered through the API on a day."""
        return self._counts.get((day, method), 0) + self._sent_before_start(day, method)

    def sent_manually(self, day: date) -> dict[str, int]:
        """Return the messages that the account's owner sent without the API on a day, by LINE's property name."""
        counts = self._followers.counts(day)
        bits = self._random.integer(day.toordinal(), 16)
        reach = counts.followers - counts.blocks
        return {
            "broadcast": reach if day.weekday() == bits % 7 else 0,
            "targeting": counts.targeted_reaches // 10 if bits >> 8 & 7 == 0 else 0,
            "stepMessage": reach * (bits >> 16 & 15) // 1000,
            "autoResponse": reach * (bits >> 20 & 15) // 1000,
            "welcomeResponse": reach * (bits >> 24 & 7) // 2000,
            "chat": reach * (bits >> 32 & 15) // 2000,
        }

    def _sent_before_start(self, day: date, method: DeliveryMethod) -> int:
        is_notification = method in (DeliveryMethod.PNP, DeliveryMethod.PNP_TEMPLATED)
        if is_notification or day < ACCOUNT_CREATED_ON or day >= self._clock.started_on:
            return 0
        bits = self._random.integer(day.toordinal() * 8 + len(method), 8)
        counts = self._followers.counts(day)
        return (counts.followers - counts.blocks) * (bits & 63) // 1000
