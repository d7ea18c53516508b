"""The sandbox's time: real time, moved forward on request.

LINE counts days and months in UTC+9.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

LINE_TIME_ZONE = timezone(timedelta(hours=9))


class Clock:
    """Seconds since 1970 that never go back, even where the machine's own time is set back."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()
        self._ahead = 0.0
        self.started = self.today()
        """The day on LINE's calendar on which the sandbox began."""

    def now(self) -> float:
        """Seconds since 1970."""
        return self._epoch + time.monotonic() + self._ahead

    def machine_now(self) -> float:
        """Seconds since 1970, as if the clock had not been moved forward."""
        return self._epoch + time.monotonic()

    def advance(self, seconds: float) -> None:
        """Move forward by a number of seconds, 0 or more."""
        self._ahead += seconds

    def today(self) -> date:
        """The day on LINE's calendar."""
        return line_date(self.now())

    def month(self) -> tuple[int, int]:
        """The year and month on LINE's calendar."""
        today = self.today()
        return today.year, today.month


def line_date(seconds: float) -> date:
    """The day, on LINE's calendar, of a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, LINE_TIME_ZONE).date()


def iso_time(seconds: float) -> str:
    """A time as LINE writes it: `2026-01-31T01:02:03.004Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
