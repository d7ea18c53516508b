"""Time, as LINE counts it."""

from __future__ import annotations

from datetime import UTC, datetime

from line_core.line_time import LINE_TIME, line_date

__all__ = ["LINE_TIME", "line_date", "now"]


def now() -> datetime:
    """The time, in UTC, to the millisecond."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
