"""Claim due messages page by page, and queue their requests for sending."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from line_core.message_status import MessageStatus
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.errors import LineError
    from target_line.sending.claim.claims import ClaimResult, RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.decide.decider import DueMessages, DuePage
    from target_line.sending.decide.decisions import DecidedMessage
    from target_line.sending.quota import SendAllowance
    from target_line.sending.send.lane import Lanes
    from target_line.sending.send.progress import SendProgress
    from target_line.sending.send.run_control import RunControl

_logger = logging.getLogger("target-line.sending")


class ClaimLoop:
    """Claims everything that is due. The next page is read and decided while a page is claimed and sent."""

    def __init__(  # noqa: PLR0913 - the parts of a run
        self,
        due: DueMessages,
        claims: RequestClaims,
        allowance: SendAllowance,
        progress: SendProgress,
        control: RunControl,
        *,
        finishes_earlier_runs: bool = True,
    ) -> None:
        """Store the dependencies.

        Args:
            due: The due messages.
            claims: The channel's requests.
            allowance: Number of messages that may be claimed.
            progress: Counts the messages.
            control: Stops the loop.
            finishes_earlier_runs: Whether requests of earlier runs that may have been sent are sent again.
        """
        self._due = due
        self._claims = claims
        self._allowance = allowance
        self._progress = progress
        self._control = control
        self._finishes_earlier_runs = finishes_earlier_runs
        self._lost = 0
        self.exhausted_error: LineError | None = None
        """Why claiming stopped early (quota used up). Requests already claimed are still sent."""

    def lose(self, messages: int) -> None:
        """Count claimed messages that another run has released. They are claimed again if they are still scheduled."""
        self._progress.add_planned(-messages)
        self._allowance.release(messages)
        self._lost += messages

    async def run(self, lanes: Lanes, max_decision_age: timedelta) -> None:
        """Queue unfinished requests of earlier runs, then claim and queue due messages.

        Args:
            lanes: Laness a request. It waits when claiming is too far ahead of sending.
            max_decision_age: Messages with older decisions are decided again before the claim.
        """
        await self._queue_unfinished(lanes)
        is_done = False
        while not is_done and self._control.stop_reason is None:
            self._lost = 0
            self._progress.add_planned(await self._control.in_database(self._due.count))
            is_limited = await self._claim_pages(lanes, max_decision_age)
            await lanes.wait_until_marked()
            is_done = is_limited or not self._lost

    async def _claim_pages(self, lanes: Lanes, max_decision_age: timedelta) -> bool:
        """Claim all due messages once. Return whether a limit of the allowance ended it."""
        pages = self._due.pages()
        next_page = _prefetch(pages)
        carried_over: list[DecidedMessage] = []
        try:
            while self._control.stop_reason is None and (page := await next_page) is not None:
                page = page.after(carried_over)
                if not timedelta(0) <= datetime.now(UTC) - page.decided_at <= max_decision_age:
                    page = await asyncio.to_thread(self._due.decide_again, page)
                next_page = _prefetch(pages)
                claim = await self._claim(page)
                for request in claim.requests:
                    await lanes.put(request)
                if claim.limit_reached:
                    await self._report_limit()
                self._control.stop(self._progress.reject_limit_error())
                if claim.limit_reached:
                    return True
                carried_over = claim.carried_over
        finally:
            await asyncio.gather(next_page, return_exceptions=True)
        return False

    async def _queue_unfinished(self, lanes: Lanes) -> None:
        released = await self._control.in_database(self._claims.release_never_attempted)
        if released:
            text = "%s messages that an earlier run claimed were certainly not sent: they are decided again"
            _logger.info(text, f"{released:,}")
        if not self._finishes_earlier_runs:
            return
        unfinished, unknown = await self._control.in_database(self._claims.take_over_unfinished)
        if unknown:
            counts = {(MessageStatus.UNKNOWN, Reason.RETRY_KEY_EXPIRED): unknown}
            self._progress.add_unsent(counts, planned=False)
        unfinished = self._within_limit_of_run(unfinished)
        if unfinished:
            _logger.info("%s requests of an earlier run are sent again with their retry keys", f"{len(unfinished):,}")
        self._progress.add_planned(sum(request.messages for request in unfinished))
        for request in unfinished:
            await lanes.put(request)

    def _within_limit_of_run(self, unfinished: list[ClaimedRequest]) -> list[ClaimedRequest]:
        """Return the first requests that `max_sends_per_run` allows, and count them. The others stay claimed."""
        allowed = []
        for request in unfinished:
            remaining = self._allowance.remaining_of_run()
            if remaining is None or request.messages <= remaining:
                self._allowance.count_claimed(request.messages)
                allowed.append(request)
        return allowed

    async def _claim(self, page: DuePage) -> ClaimResult:
        claim = await self._control.in_database(partial(self._claims.claim, page, self._allowance))
        self._allowance.count_claimed(sum(request.messages for request in claim.requests))
        self._progress.add_unsent(claim.unsent)
        return claim

    async def _report_limit(self) -> None:
        still_due = await self._control.in_database(self._due.count)
        self.exhausted_error = self._allowance.exhausted_error(still_due)
        if self.exhausted_error is None:
            _logger.info("max_sends_per_run is reached; %s messages stay scheduled", f"{still_due:,}")


def _prefetch(pages: Iterator[DuePage]) -> asyncio.Task[DuePage | None]:
    """Read and decide the next page in a thread; the result is None after the last page."""
    return asyncio.create_task(asyncio.to_thread(next, pages, None))
