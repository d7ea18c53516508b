"""LINE's calendar: its daily figures and its months are counted in UTC+9."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

LINE_TIME = timezone(timedelta(hours=9), "UTC+9")
"""The time zone of LINE's daily figures."""


def line_date(at: datetime) -> date:
    """The day that a time belongs to in LINE's figures."""
    return at.astimezone(LINE_TIME).date()


def start_of(day: date) -> datetime:
    """When a day of LINE's begins."""
    return datetime.combine(day, time.min, LINE_TIME)
