"""Time, as LINE counts it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

LINE_TIME = timezone(timedelta(hours=9), "UTC+9")
"""The time zone of LINE's daily figures."""


def now() -> datetime:
    """The time, in UTC, to the millisecond."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def line_date(time: datetime) -> date:
    """The day that a time belongs to in LINE's figures."""
    return time.astimezone(LINE_TIME).date()
