"""Custom aggregation units: names under which pushes and multicasts are counted.

Source: LINE Messaging API reference, "Send push message": at most 1,000 names a month; a message under one more is
sent, and its name dropped in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

MAX_NAMES = 1000


class Units:
    """The names used this month."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._month = clock.month()
        self._names: dict[str, None] = {}

    def names(self) -> list[str]:
        """This month's names, in the order of their first use."""
        month = self._clock.month()
        if month != self._month:
            self._month = month
            self._names = {}
        return list(self._names)

    def take(self, name: str) -> bool:
        """Use a name; tells whether there was room for it."""
        if len(self.names()) >= MAX_NAMES and name not in self._names:
            return False
        self._names[name] = None
        return True
