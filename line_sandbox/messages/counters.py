"""How many messages went out on each day, by the way they were sent.

Source: LINE Messaging API reference, "Get number of sent push messages" and the like, "Get number of message
deliveries".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


class Way(StrEnum):
    """A way of sending."""

    REPLY = "reply"
    PUSH = "push"
    MULTICAST = "multicast"
    NARROWCAST = "narrowcast"
    BROADCAST = "broadcast"


class DailyCounters:
    """Messages that reached somebody, by LINE's day and way."""

    def __init__(self) -> None:
        self._counts: dict[tuple[date, Way], int] = {}

    def count(self, day: date, way: Way, messages: int) -> None:
        """Count messages."""
        self._counts[day, way] = self._counts.get((day, way), 0) + messages

    def get(self, day: date, way: Way) -> int:
        """How many there were."""
        return self._counts.get((day, way), 0)
