"""The sandbox's time: real time, moved forward on request."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

LINE_TIME_ZONE = timezone(timedelta(hours=9))
"""LINE counts days and months in UTC+9."""


class Clock:
    """Seconds since 1970 that never go back, even where the machine's own time is set back."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.monotonic() + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward; a negative number of seconds is not allowed for, and refused by the control API."""
        self._offset += seconds

    def today(self) -> date:
        """The day on LINE's calendar."""
        return line_date(self.now())


def line_date(seconds: float) -> date:
    """The day, on LINE's calendar, of a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, LINE_TIME_ZONE).date()


def iso_time(seconds: float) -> str:
    """A time as LINE writes it: `2026-01-31T01:02:03.004Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
