"""Days of LINE's statistics and quotas, which use UTC+9."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

LINE_TIME = timezone(timedelta(hours=9), "UTC+9")
"""Time zone of LINE's daily statistics and monthly quotas."""


def line_date(at: datetime) -> date:
    """Return the day of LINE's statistics that a time belongs to."""
    return at.astimezone(LINE_TIME).date()


def line_day_start(day: date) -> datetime:
    """Return the time at which a day of LINE's statistics starts."""
    return datetime.combine(day, time.min, LINE_TIME)
