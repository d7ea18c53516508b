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
    from target_line.sending.send.progress import SendProgress
    from target_line.sending.send.run_control import RunControl

_logger = logging.getLogger("target-line.sending")


class ClaimLoop:
    """Claims everything that is due. The next page is read and decided while a page is claimed and sent."""

    def __init__(
        self,
        due: DueMessages,
        claims: RequestClaims,
        allowance: SendAllowance,
        progress: SendProgress,
        control: RunControl,
    ) -> None:
        """Store the dependencies.

        Args:
            due: The due messages.
            claims: The channel's requests.
            allowance: Number of messages that may be claimed.
            progress: Counts the messages.
            control: Stops the loop.
        """
        self._due = due
        self._claims = claims
        self._allowance = allowance
        self._progress = progress
        self._control = control
        self.exhausted_error: LineError | None = None
        """Why claiming stopped early (quota used up). Requests already claimed are still sent."""

    async def run(self, queue: asyncio.Queue[ClaimedRequest | None], max_decision_age: timedelta) -> None:
        """Queue unfinished requests of earlier runs, then claim and queue due messages.

        Args:
            queue: Receives the requests. Its size limits how far claiming is ahead of sending.
            max_decision_age: Messages with older decisions are decided again before the claim.
        """
        await self._queue_unfinished(queue)
        self._progress.add_planned(await self._control.in_database(self._due.count))
        pages = self._due.pages()
        next_page = _prefetch(pages)
        carried_over: list[DecidedMessage] = []
        try:
            while self._control.stop_reason is None and (page := await next_page) is not None:
                page = page.after(carried_over)
                if datetime.now(UTC) - page.decided_at > max_decision_age:
                    page = await asyncio.to_thread(self._due.decide_again, page)
                next_page = _prefetch(pages)
                claim = await self._claim(page)
                for request in claim.requests:
                    await queue.put(request)
                if claim.limit_reached:
                    await self._report_limit()
                self._control.stop(self._progress.reject_limit_error())
                if claim.limit_reached:
                    break
                carried_over = claim.carried_over
        finally:
            await asyncio.gather(next_page, return_exceptions=True)

    async def _queue_unfinished(self, queue: asyncio.Queue[ClaimedRequest | None]) -> None:
        unfinished, unknown = await self._control.in_database(self._claims.take_over_unfinished)
        if unknown:
            counts = {(MessageStatus.UNKNOWN, Reason.RETRY_KEY_EXPIRED): unknown}
            self._progress.add_unsent(counts, planned=False)
        if unfinished:
            _logger.info("%s requests of an earlier run are sent again with their retry keys", f"{len(unfinished):,}")
        self._progress.add_planned(sum(request.messages for request in unfinished))
        for request in unfinished:
            await queue.put(request)

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
