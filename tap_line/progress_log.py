"""Periodic log lines about the progress of a long stream."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_INTERVAL_SECONDS = 10.0


class ProgressLog:
    """Counts processed items and logs count, total, rate and remaining time every 10 seconds."""

    def __init__(
        self,
        logger: logging.Logger,
        item_name: str,
        total: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            logger: Destination of the log lines.
            item_name: Name of the items, in the plural.
            total: Expected number of items, or None if unknown.
            clock: Monotonic clock, in seconds.
        """
        self._logger = logger
        self._item_name = item_name
        self._total = total
        self._clock = clock
        self._started_at = self._logged_at = clock()
        self._done = 0

    def add(self, count: int = 1) -> None:
        """Count processed items, and log if the last line is older than 10 seconds."""
        self._done += count
        if self._clock() - self._logged_at >= _INTERVAL_SECONDS:
            self._logged_at = self._clock()
            self._logger.info(self.line())

    def line(self) -> str:
        """Return the log line for the current progress."""
        rate = self._done / max(self._clock() - self._started_at, 1e-9)
        if not self._total or self._total < self._done:
            return f"{self._done:,} {self._item_name} done, {rate:,.0f}/s"
        remaining = timedelta(seconds=round((self._total - self._done) / max(rate, 1e-9)))
        share = self._done / self._total
        count = f"{self._done:,} of about {self._total:,} {self._item_name} done"
        return f"{count} ({share:.0%}), {rate:,.0f}/s, {remaining} left"
