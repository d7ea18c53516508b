"""Progress of a sending run: counts for the run report, and a log line every ten seconds or a bar on a terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from line_core.api.activity import ClientActivity
    from line_core.errors import LineError
    from line_core.message_status import MessageStatus
    from target_line.reasons import Reason
    from target_line.run_report import RunReport
    from target_line.sending.claim.outcomes import RequestOutcome
    from target_line.sending.quota import SendAllowance

LOG_SECONDS = 10.0
_BAR_SECONDS = 0.5

_logger = logging.getLogger("target-line.sending")


class SendProgress:
    """Counts messages with an outcome, and says what the run waits for."""

    def __init__(
        self,
        report: RunReport,
        allowance: SendAllowance,
        activity: ClientActivity,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nothing done.

        Args:
            report: Counts the outcomes.
            allowance: Number of messages that may be claimed.
            activity: What the requests wait for.
            clock: Returns seconds.
        """
        self._report = report
        self._allowance = allowance
        self._activity = activity
        self._clock = clock
        self._planned = 0
        self._done = 0
        self._started = clock()

    def add_planned(self, messages: int) -> None:
        """Add messages to the total of the run."""
        self._planned += messages

    def add_unsent(self, counts: Mapping[tuple[MessageStatus, Reason], int], *, planned: bool = True) -> None:
        """Count messages that were skipped, rejected or postponed before a request, by status and reason.

        Args:
            counts: Number of messages by status and reason.
            planned: Whether they are part of the total of the run.
        """
        self._report.add_unsent(counts)
        self._done += sum(counts.values()) if planned else 0

    def add_outcomes(self, outcomes: Sequence[RequestOutcome]) -> None:
        """Count the messages of requests with an outcome."""
        self._report.add_results(outcomes)
        self._done += sum(outcome.request.messages for outcome in outcomes)

    def reject_limit_error(self) -> LineError | None:
        """Return the error if more messages were rejected than `max_rejects` allows."""
        return self._report.reject_limit_error()

    def line(self) -> str:
        """Return what is done, the rate, the probable end, the quota, and what is waited for."""
        seconds = max(self._clock() - self._started, 0.001)
        rate = self._done / seconds
        left = max(self._planned - self._done, 0)
        end = f", about {_duration(left / rate)} to go" if left and rate else ""
        quota = self._allowance.estimate_quota_left()
        waits = self._activity.describe()
        return (
            f"{self._done:,} of {self._planned:,} messages done, {rate:,.{0 if rate >= 10 else 1}f} a second{end}, "  # noqa: PLR2004 - one decimal for slow rates
            f"quota left {'unlimited' if quota is None else f'{quota:,}'}"
            + (f"; waiting for {'; '.join(waits)}" if waits else "")
        )

    async def report_regularly(self) -> None:
        """Log the line every ten seconds, or show it in a bar if the log is a terminal, until the task is cancelled."""
        if sys.stderr.isatty():
            await self._show_bar()
        while True:
            await asyncio.sleep(LOG_SECONDS)
            _logger.info("%s", self.line())

    async def _show_bar(self) -> None:
        # Most runs have no terminal, and importing Rich takes a tenth of the start-up.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        columns = (BarColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("")
            while True:
                bar.update(task, total=self._planned or None, completed=self._done, description=self.line())
                await asyncio.sleep(_BAR_SECONDS)


@asynccontextmanager
async def waits_logged(activity: ClientActivity) -> AsyncIterator[None]:
    """Log every ten seconds what requests wait for. For the requests before sending starts."""

    async def log_regularly() -> None:
        while True:
            await asyncio.sleep(LOG_SECONDS)
            if waits := activity.describe():
                _logger.info("waiting for %s", "; ".join(waits))

    task = asyncio.create_task(log_regularly())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _duration(seconds: float) -> str:
    """Return a duration for people, such as `45 s`, `12 min` or `3.5 h`."""
    if seconds < 100:  # noqa: PLR2004 - seconds up to here
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 6000 else f"{seconds / 3600:,.1f} h"  # noqa: PLR2004 - minutes up to here
