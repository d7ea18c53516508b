"""What follows from the result of a request: an outcome in the ledger, other requests in its place, or a pause."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from line_core.ids import without_line_ids
from line_core.message_status import MessageStatus
from target_line.sending.claim.outcomes import RequestOutcome
from target_line.sending.send.outcome_recorder import LeftClaimed, NotAccepted, SetAside
from target_line.sending.send.refusals import HeldRequest, Refusals
from target_line.sending.send.request_sender import GivenUp, NotSent
from target_line.sending.send.responses import AboveQuota, AcceptedByLine, NotAllowed, RejectedByLine, rejection_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.api.errors import ApiError
    from line_core.errors import LineError
    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.send.gate import DepartureGate
    from target_line.sending.send.outcome_recorder import OutcomeRecorder
    from target_line.sending.send.request_sender import SendResult
    from target_line.sending.send.run_control import RunControl

_MAX_WARNINGS = 10

_logger = logging.getLogger("target-line.sending")


class ResultHandler:
    """Handles the results of one run's requests."""

    def __init__(
        self, claims: RequestClaims, control: RunControl, gate: DepartureGate, recorder: OutcomeRecorder
    ) -> None:
        """Store the dependencies.

        Args:
            claims: The channel's requests.
            control: Stopped if LINE refuses everything.
            gate: Holds back requests that LINE would refuse too.
            recorder: Records the outcomes.
        """
        self._claims = claims
        self._control = control
        self._gate = gate
        self._recorder = recorder
        self._refusals = Refusals()
        self._given_up: ApiError | None = None
        self._above_quota: ApiError | None = None
        self.refused_for_quota: str | None = None
        """Text that names the first broadcast or narrowcast above the rest of the quota."""
        self._refused: LineError | None = None
        self._left_claimed = 0
        self._warnings = 0

    async def handle(self, request: ClaimedRequest, result: SendResult) -> list[ClaimedRequest]:
        """Record the result of a request. Return the requests to send in its place.

        Raises:
            LineError: The store failed.
        """
        match result.response:
            case AcceptedByLine(request_id=request_id):
                self._recorder.put(RequestOutcome(request, MessageStatus.ACCEPTED, result.attempts, request_id))
                self._settle(self._refusals.count_accepted(request.method))
            case RejectedByLine(reason=reason, is_content_error=is_content_error):
                halves = [] if is_content_error else await self._split(request, reason)
                if not halves:
                    outcome = RequestOutcome(request, MessageStatus.REJECTED, result.attempts, error=reason)
                    self._recorder.put(outcome)
                return halves
            case GivenUp(error=error):
                await self._warn(request, f"LINE answered none of {result.attempts} attempts finally: {error}")
                self._given_up = self._given_up or error
                self._hold(request, result, error, is_refused=False)
            case NotAllowed(error=error):
                await self._warn(request, str(error))
                self._hold(request, result, error, is_refused=True)
            case AboveQuota(error=error):
                await self._refuse_for_quota(request, error)
                self._release(request, result)
            case NotSent():
                self._release(request, result)
        return []

    def finish(self) -> None:
        """Schedule the messages of the requests whose refusal may be meant for all requests."""
        for held in self._refusals.take_rest():
            self._refused = self._refused or held.error
            self._recorder.put(NotAccepted(held.request))

    def error(self) -> LineError | None:
        """Return why messages stay scheduled, if the run was not stopped."""
        if self._above_quota:
            return self._above_quota
        if self._refused:
            return self._refused
        return None if self._control.accepted else self._given_up

    def log_left_claimed(self) -> None:
        """Log the number of requests with an unknown outcome."""
        if self._left_claimed:
            _logger.warning(
                "%s requests may or may not have arrived; the next run sends them again with their retry keys",
                f"{self._left_claimed:,}",
            )

    def _hold(self, request: ClaimedRequest, result: SendResult, error: ApiError, *, is_refused: bool) -> None:
        if result.may_be_accepted:
            self._release(request, result)
            return
        self._settle(self._refusals.hold(HeldRequest(request, error, result.attempts, is_refused)))
        if self._refusals.is_method_refused(request.method):
            self._gate.pause_method(request.method)

    def _settle(self, individual: Iterable[HeldRequest]) -> None:
        """Reject or set aside the requests that are at fault alone."""
        for held in individual:
            if held.is_refused:
                reason = rejection_reason(held.error)
                self._recorder.put(RequestOutcome(held.request, MessageStatus.REJECTED, held.attempts, error=reason))
            else:
                self._recorder.put(SetAside(held.request, rejection_reason(held.error)))

    def _release(self, request: ClaimedRequest, result: SendResult) -> None:
        if result.may_be_accepted:
            self._left_claimed += 1
            self._recorder.put(LeftClaimed(request, result.attempts))
        else:
            self._recorder.put(NotAccepted(request))

    async def _refuse_for_quota(self, request: ClaimedRequest, error: ApiError) -> None:
        self._gate.limit_quota(request)
        self._above_quota = self._above_quota or error
        if self.refused_for_quota is None and not request.recipients:
            message_id = await self._control.in_database(partial(self._claims.read_message_id, request))
            self.refused_for_quota = f"the {request.method} {message_id}"
        if self._gate.holds_everything():
            self._control.stop(error)

    async def _split(self, request: ClaimedRequest, reason: str) -> list[ClaimedRequest]:
        if request.messages == 1:
            return []
        return await self._control.in_database(partial(self._claims.split_multicast, request, reason))

    async def _warn(self, request: ClaimedRequest, text: str) -> None:
        """Log what happened to a request with a message id. The first ten of a run are logged."""
        self._warnings += 1
        if self._warnings <= _MAX_WARNINGS:
            message_id = await self._control.in_database(partial(self._claims.read_message_id, request))
            _logger.warning("message_id %s, by %s: %s", message_id, request.method, without_line_ids(text))
