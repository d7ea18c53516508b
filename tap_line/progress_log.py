"""Tell in the log how far a long stream is."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_EVERY_SECONDS = 10.0


class ProgressLog:
    """Counts what is done, and says so now and then: done, total, rate and the estimated end."""

    def __init__(
        self,
        logger: logging.Logger,
        what: str,
        total: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            logger: Where to say it.
            what: What is counted, in the plural.
            total: How many there are, as far as that is known.
            clock: Seconds that never go back.
        """
        self._logger = logger
        self._what = what
        self._total = total
        self._clock = clock
        self._began = self._told = clock()
        self._done = 0

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        if self._clock() - self._told >= _EVERY_SECONDS:
            self._told = self._clock()
            self._logger.info(self.line())

    def line(self) -> str:
        """How far it is."""
        rate = self._done / max(self._clock() - self._began, 1e-9)
        if not self._total or self._total < self._done:
            return f"{self._done:,} {self._what} done, {rate:,.0f}/s"
        left = timedelta(seconds=round((self._total - self._done) / max(rate, 1e-9)))
        share = self._done / self._total
        return f"{self._done:,} of about {self._total:,} {self._what} done ({share:.0%}), {rate:,.0f}/s, {left} left"
