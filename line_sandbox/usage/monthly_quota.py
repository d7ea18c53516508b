"""The number of messages that the account may send in a month.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month", "Note regarding the number
of remaining messages to be sent during the current month". LINE does not document the time zone of the month; the
sandbox uses UTC+9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import TooManyRequests

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock


class MonthlyQuota:
    """Counts the messages sent this month, and the messages reserved for narrowcasts in progress."""

    def __init__(self, limit: int | None, clock: Clock) -> None:
        """Create an unused quota.

        Args:
            limit: Messages per month; None for no limit.
            clock: Determines the current month.
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
        """Messages that can still be sent or reserved; None if there is no limit."""
        return None if self.limit is None else max(0, self.limit - self.used - self._reserved)

    def check(self, messages: int) -> None:
        """Check that so many messages can still be sent.

        Raises:
            TooManyRequests: The remaining quota is too small.
        """
        remaining = self.remaining
        if remaining is not None and messages > remaining:
            raise TooManyRequests.for_quota()

    def use(self, messages: int) -> None:
        """Add sent messages to the count."""
        self._used = self.used + messages

    def reserve(self, messages: int) -> None:
        """Reserve messages for a narrowcast; a negative number releases them."""
        self._reserved += messages
