"""Progress of a sending run: counts for the run report and for a log line every ten seconds."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from line_core.errors import LineError
    from line_core.message_status import MessageStatus
    from target_line.reasons import Reason
    from target_line.run_report import RunReport
    from target_line.sending.claim.outcomes import RequestOutcome
    from target_line.sending.quota import SendAllowance

_LOG_SECONDS = 10

_logger = logging.getLogger("target-line.sending")


class SendProgress:
    """Counts messages with an outcome, and logs the rate."""

    def __init__(self, report: RunReport, allowance: SendAllowance) -> None:
        self._report = report
        self._allowance = allowance
        self._planned = 0
        self._done = 0
        self._started = self._logged = time.monotonic()

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

    def log_if_due(self) -> None:
        """Log the progress, unless the last log line is less than ten seconds old."""
        now = time.monotonic()
        if now - self._logged < _LOG_SECONDS:
            return
        self._logged = now
        left = self._allowance.estimate_quota_left()
        _logger.info(
            "%s of %s messages done, %s a second, quota left %s",
            f"{self._done:,}",
            f"{self._planned:,}",
            f"{self._done / (now - self._started):,.0f}",
            "unlimited" if left is None else f"{left:,}",
        )
