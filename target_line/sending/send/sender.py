"""Send everything that is due: claim requests, send them in parallel, and record the outcomes.

A request's retry key, body and messages are committed before it is sent. If the process dies at any moment, the next
run sends the same bytes with the same retry key, and LINE accepts them at most once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from line_core.errors import LineError
from line_core.message_status import MessageStatus
from target_line.sending.claim.outcomes import RequestOutcome
from target_line.sending.send.claim_loop import ClaimLoop
from target_line.sending.send.outcome_recorder import NotAccepted, OutcomeRecorder
from target_line.sending.send.progress import SendProgress
from target_line.sending.send.responses import AcceptedByLine, RejectedByLine
from target_line.sending.send.run_control import RunControl

if TYPE_CHECKING:
    from target_line.run_report import RunReport
    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.decide.decider import DueMessages
    from target_line.sending.quota import SendAllowance
    from target_line.sending.send.request_sender import RequestSender

_logger = logging.getLogger("target-line.sending")


@dataclass(frozen=True, slots=True)
class SenderLimits:
    """Limits of a sending run."""

    in_flight: int = 256
    """Maximum number of requests in flight."""
    queued: int = 2000
    """Maximum number of claimed requests that wait for sending."""
    max_decision_age: timedelta = timedelta(seconds=5)
    """Messages with older decisions are decided again before they are claimed."""


class Sender:
    """Sends until nothing is due, or until an error stops the run."""

    def __init__(  # noqa: PLR0913 - limits have a default
        self,
        due: DueMessages,
        claims: RequestClaims,
        requests: RequestSender,
        allowance: SendAllowance,
        report: RunReport,
        *,
        limits: SenderLimits | None = None,
    ) -> None:
        """Store the dependencies; call `run` to start sending.

        Args:
            due: The due messages.
            claims: The channel's requests.
            requests: Sends a request to LINE.
            allowance: Number of messages that may be claimed.
            report: Counts the outcomes.
            limits: Limits of the run.
        """
        self._claims = claims
        self._requests = requests
        self._limits = limits or SenderLimits()
        self._control = RunControl()
        progress = SendProgress(report, allowance)
        self._claim_loop = ClaimLoop(due, claims, allowance, progress, self._control)
        self._recorder = OutcomeRecorder(claims, progress, self._control)
        self._claimed: asyncio.Queue[ClaimedRequest | None] = asyncio.Queue(self._limits.queued)
        self._left_claimed = 0

    async def run(self) -> None:
        """Send everything that is due.

        Raises:
            LineError: The run was stopped. Messages without an outcome stay scheduled or claimed.
        """
        async with asyncio.TaskGroup() as recording:
            recording.create_task(self._recorder.run())
            async with asyncio.TaskGroup() as sending:
                sending.create_task(self._claim_all())
                for _ in range(self._limits.in_flight):
                    sending.create_task(self._send_queued())
            await self._recorder.close()
        if self._left_claimed:
            _logger.warning(
                "%s requests may or may not have arrived; the next run sends them again with their retry keys",
                f"{self._left_claimed:,}",
            )
        if error := self._control.stop_reason or self._claim_loop.exhausted_error:
            raise error

    def stop(self, reason: LineError) -> None:
        """Send nothing more. `run` finishes and records the requests in flight, then raises the first reason."""
        self._control.stop(reason)

    async def _claim_all(self) -> None:
        try:
            await self._claim_loop.run(self._claimed, self._limits.max_decision_age)
        except LineError as error:
            self._control.stop(error)
        for _ in range(self._limits.in_flight):
            await self._claimed.put(None)

    async def _send_queued(self) -> None:
        """Send queued requests, one after the other, until the end of the queue."""
        while (request := await self._claimed.get()) is not None:
            await self._send(request)

    async def _send(self, request: ClaimedRequest) -> None:
        """Send a request and queue its outcome. If LINE rejects recipients of a multicast, send its halves instead."""
        pending = [request]
        while pending:
            part = pending.pop()
            result = await self._requests.send(part, self._control)
            match result.response:
                case AcceptedByLine(request_id=request_id):
                    outcome = RequestOutcome(part, MessageStatus.ACCEPTED, result.attempts, request_id)
                    await self._recorder.put(outcome)
                case RejectedByLine(reason=reason, is_content_error=is_content_error):
                    try:
                        halves = [] if is_content_error else await self._split(part, reason)
                    except LineError as error:
                        # The request stays claimed. The next run sends it again, and LINE rejects it again.
                        self._control.stop(error)
                        continue
                    pending += halves
                    if not halves:
                        rejected = RequestOutcome(part, MessageStatus.REJECTED, result.attempts, error=reason)
                        await self._recorder.put(rejected)
                case None if result.may_be_accepted:
                    self._left_claimed += 1
                case None:
                    await self._recorder.put(NotAccepted(part))

    async def _split(self, request: ClaimedRequest, reason: str) -> list[ClaimedRequest]:
        if request.messages == 1:
            return []
        return await self._control.in_database(partial(self._claims.split_multicast, request, reason))
