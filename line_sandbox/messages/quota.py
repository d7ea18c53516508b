"""The month's messages: how many may be sent, and how many were.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month", "Note regarding the number
of remaining messages to be sent during the current month". LINE does not state the time zone of its month: here UTC+9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import TooManyRequests

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock


class Quota:
    """A monthly allowance; what a running narrowcast may still use is reserved."""

    def __init__(self, limit: int | None, clock: Clock) -> None:
        """Begin a month with nothing used.

        Args:
            limit: Messages a month; None for no limit.
            clock: Tells the month.
        """
        self.limit = limit
        self._clock = clock
        self._month = clock.month()
        self._used = 0
        self._reserved = 0

    @property
    def used(self) -> int:
        """Messages sent this month."""
        month = self._clock.month()
        if month != self._month:
            self._month = month
            self._used = 0
        return self._used

    @property
    def remaining(self) -> int | None:
        """Messages that may still be sent or reserved; None if there is no limit."""
        return None if self.limit is None else max(0, self.limit - self.used - self._reserved)

    def check(self, messages: int) -> None:
        """Let a request pass that the month still has room for.

        Raises:
            TooManyRequests: It has not.
        """
        remaining = self.remaining
        if remaining is not None and messages > remaining:
            raise TooManyRequests.for_quota()

    def use(self, messages: int) -> None:
        """Count messages that were sent."""
        self._used = self.used + messages

    def reserve(self, messages: int) -> None:
        """Keep messages from others while a delivery runs; a negative number gives them back."""
        self._reserved += messages
