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
from target_line.sending.send.claim_loop import ClaimLoop
from target_line.sending.send.gate import DecisionChangedError, DepartureGate
from target_line.sending.send.lane import WORKERS, Lanes
from target_line.sending.send.outcome_recorder import NotAccepted, OutcomeRecorder
from target_line.sending.send.progress import SendProgress
from target_line.sending.send.results import ResultHandler
from target_line.sending.send.run_control import RunControl

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_line.run_report import RunReport
    from target_line.sending.claim.claims import ClaimResult, RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.decide.decider import DueMessages, DuePage
    from target_line.sending.quota import SendAllowance
    from target_line.sending.send.lane import Lane
    from target_line.sending.send.request_sender import RequestSender

_logger = logging.getLogger("target-line.sending")


@dataclass(frozen=True, slots=True)
class SenderLimits:
    """Limits of a sending run."""

    in_flight: int = 256
    """Maximum number of requests of a send method in flight."""
    max_decision_age: timedelta = timedelta(seconds=5)
    """Messages with older decisions are decided again before they are claimed."""
    max_per_second: float | None = None
    """Upper bound of the requests per second, besides LINE's rate limits."""
    finishes_earlier_runs: bool = True
    """Whether requests of earlier runs that may have been sent are sent again. The others are decided again always."""


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
        self._allowance = allowance
        self._limits = limits or SenderLimits()
        self._control = RunControl()
        self._progress = SendProgress(report, allowance, requests.activity)
        self._gate = DepartureGate(self._control, due, claims.planner)
        self._claim_loop = ClaimLoop(
            due,
            claims,
            allowance,
            self._progress,
            self._control,
            finishes_earlier_runs=self._limits.finishes_earlier_runs,
        )
        self._recorder = OutcomeRecorder(claims, self._progress, self._control)
        self._results = ResultHandler(claims, self._control, self._gate, self._recorder)
        self._lanes = Lanes(claims, self._gate, self._control, self._limits.max_per_second)

    async def run(self) -> None:
        """Send everything that is due.

        Raises:
            LineError: The run was stopped, or LINE refuses messages that stay scheduled.
        """
        reporting = asyncio.create_task(self._progress.report_regularly())
        try:
            async with asyncio.TaskGroup() as recording:
                recording.create_task(self._recorder.run())
                async with asyncio.TaskGroup() as sending:
                    sending.create_task(self._claim_all())
                    for method, lane in self._lanes.items():
                        workers = min(WORKERS[method], self._limits.in_flight)
                        sending.create_task(lane.run(workers, self._dispose, self._claim_loop.lose))
                        for _ in range(workers):
                            sending.create_task(self._send_ready(lane))
                self._results.finish()
                self._recorder.close()
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)
        self._results.log_left_claimed()
        if error := self._control.stop_reason or self._claim_loop.exhausted_error or self._results.error():
            raise error

    @property
    def refused_for_quota(self) -> str | None:
        """Text that names a broadcast or narrowcast above the rest of the quota, if LINE refused one."""
        return self._results.refused_for_quota

    def stop(self, reason: LineError) -> None:
        """Send nothing more. `run` finishes and records the requests on the wire, then raises the first reason."""
        self._control.stop(reason)
        _logger.warning(
            "%s: no further request is sent; %s requests that LINE has not answered are awaited, and everything else "
            "stays scheduled. A second signal ends the run at once",
            str(reason).partition(";")[0],
            f"{self._requests.activity.unanswered:,}",
        )

    async def _claim_all(self) -> None:
        try:
            await self._claim_loop.run(self._lanes, self._limits.max_decision_age)
        except LineError as error:
            self._control.stop(error)
        await self._lanes.close()

    async def _send_ready(self, lane: Lane) -> None:
        """Send the requests of a lane that may leave, one after the other, until its end."""
        while (request := await lane.ready.get()) is not None:
            await self._send(request, lane)

    async def _send(self, request: ClaimedRequest, lane: Lane) -> None:
        """Send a request and handle the result. It may lead to other requests in its place, which are sent too."""
        pending = [request]
        while pending:
            part = pending.pop()
            leaves = partial(lane.has_left, part)
            try:
                pending += await self._send_once(part, leaves)
            except LineError as error:
                # The store fails. The request stays claimed: the next run sends it again, with the same result.
                self._control.stop(error)
            finally:
                leaves()

    async def _send_once(self, request: ClaimedRequest, leaves: Callable[[], None]) -> list[ClaimedRequest]:
        try:
            result = await self._requests.send(request, self._control, self._gate, leaves)
        except DecisionChangedError as change:
            return await self._claim_again(request, change.page)
        return await self._results.handle(request, result)

    async def _claim_again(self, request: ClaimedRequest, page: DuePage) -> list[ClaimedRequest]:
        """Release a request that never left, and claim its messages by their new decisions."""
        claim = await self._control.in_database(partial(self._replace_claim, request, page))
        self._allowance.count_claimed(sum(new.messages for new in claim.requests))
        self._progress.add_unsent(claim.unsent)
        return claim.requests

    def _replace_claim(self, request: ClaimedRequest, page: DuePage) -> ClaimResult:
        self._claims.return_to_scheduled([request])
        self._allowance.release(request.messages)
        return self._claims.claim(page, self._allowance, leaves_now=True)

    def _dispose(self, request: ClaimedRequest) -> None:
        """Release a request that did not leave because the run stops."""
        if request.fresh:
            self._recorder.put(NotAccepted(request))
