"""Custom aggregation units: names under which pushes and multicasts are counted.

Source: LINE Messaging API reference, "Custom aggregation units": at most 1,000 names a month; a message under one
more is sent, and its unit dropped in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_core.sandbox.platform.clock import Clock

MAX_NAMES = 1000


class Units:
    """The names used this month."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._month = (0, 0)
        self._names: dict[str, None] = {}

    def names(self) -> list[str]:
        """This month's names, in the order of their first use."""
        self._turn_page()
        return list(self._names)

    def take(self, name: str) -> bool:
        """Use a name; tells whether there was room for it."""
        self._turn_page()
        if name not in self._names and len(self._names) >= MAX_NAMES:
            return False
        self._names[name] = None
        return True

    def _turn_page(self) -> None:
        today = self._clock.today()
        if (today.year, today.month) != self._month:
            self._month = (today.year, today.month)
            self._names = {}
