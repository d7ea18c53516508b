"""The sandbox's clock: real time plus an offset that tests can increase.

LINE counts days and months in UTC+9.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

LINE_TIME_ZONE = timezone(timedelta(hours=9))


class Clock:
    """A monotonic clock in seconds since 1970; a change of the system time does not affect it."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()
        self._offset = 0.0
        self.started_on = self.today()
        """The date, in LINE's time zone, when the sandbox started."""

    def now(self) -> float:
        """Return the sandbox's time in seconds since 1970."""
        return self._epoch + time.monotonic() + self._offset

    def real_now(self) -> float:
        """Return the time in seconds since 1970, without the offset."""
        return self._epoch + time.monotonic()

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`, 0 or more."""
        self._offset += seconds

    def today(self) -> date:
        """Return the date in LINE's time zone."""
        return line_date(self.now())

    def month(self) -> tuple[int, int]:
        """Return the year and month in LINE's time zone."""
        today = self.today()
        return today.year, today.month


def line_date(seconds: float) -> date:
    """Convert seconds since 1970 to a date in LINE's time zone."""
    return datetime.fromtimestamp(seconds, LINE_TIME_ZONE).date()


def iso_time(seconds: float) -> str:
    """Format seconds since 1970 as LINE does: `2026-01-31T01:02:03.004Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
