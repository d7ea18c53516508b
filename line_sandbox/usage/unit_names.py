"""Custom aggregation units: names under which LINE aggregates statistics of pushes and multicasts.

Source: LINE Messaging API reference, "Send push message": at most 1,000 unit names in a month. LINE sends a message
with a further name, but ignores the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

MAX_NAMES = 1000


class UnitNames:
    """The unit names used this month."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._month = clock.month()
        self._names: dict[str, None] = {}

    def names(self) -> list[str]:
        """Return this month's names in the order of first use."""
        month = self._clock.month()
        if month != self._month:
            self._month = month
            self._names = {}
        return list(self._names)

    def use(self, name: str) -> bool:
        """Use a name this month; return False if the limit of names is reached."""
        if len(self.names()) >= MAX_NAMES and name not in self._names:
            return False
        self._names[name] = None
        return True
