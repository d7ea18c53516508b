"""Send one claimed request, with retries under its retry key."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import UnreachableError
from line_core.api.retry import DEFAULT_RETRY_POLICY
from target_line.sending.send.gate import HeldBackError
from target_line.sending.send.responses import (
    AboveQuota,
    AcceptedByLine,
    NotAcceptedYet,
    NotAllowed,
    PossiblyAccepted,
    RejectedByLine,
    SendingImpossible,
    classify_response,
)
from target_line.sending.send.run_control import RunStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from line_core.api.client import BeforeSend, LineClient
    from line_core.api.errors import ApiError
    from line_core.api.rate_limit.limiter import RateLimiter
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.claim.request_body import SendMethod
    from target_line.sending.send.gate import DepartureGate
    from target_line.sending.send.responses import SendResponse
    from target_line.sending.send.run_control import RunControl


@dataclass(frozen=True, slots=True)
class GivenUp:
    """LINE neither accepted nor rejected the request at any attempt."""

    error: ApiError


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request was held back: the run stops, or the request must not leave in this run."""


FinalResponse = AcceptedByLine | RejectedByLine | NotAllowed | AboveQuota | GivenUp | NotSent

_FAILURES = (NotAcceptedYet, PossiblyAccepted)
# A request that LINE answers with 429 waits longer than the other requests of the endpoint, so that they show whether
# it is alone.
_LONGER_THAN_ENDPOINT = 1.5


@dataclass(frozen=True, slots=True)
class SendResult:
    """Result of all attempts to send a request."""

    response: FinalResponse
    attempts: int
    may_be_accepted: bool = False
    """Whether LINE may have accepted the request, unless the response says so."""


class RequestSender:
    """Sends claimed requests to LINE."""

    def __init__(self, client: LineClient, rate_limiter: RateLimiter) -> None:
        """Store the dependencies.

        Args:
            client: An open client.
            rate_limiter: The client's rate limiter, which pauses the endpoint after a 429 response.
        """
        self._client = client
        self._rate_limiter = rate_limiter
        self.activity = client.activity
        self._failing: Counter[SendMethod] = Counter()
        """Requests whose last attempt failed and that are tried again."""
        self._given_up: Counter[SendMethod] = Counter()
        """Requests whose attempts were used up since LINE last accepted one."""

    async def send(
        self, request: ClaimedRequest, control: RunControl, gate: DepartureGate, leaves: Callable[[], None]
    ) -> SendResult:
        """Send a request until LINE accepts or rejects it, the attempts are used up, or it is held back.

        Stops the run if LINE accepts no request at all, or if other requests fail too when the attempts are used up.

        Args:
            request: The request.
            control: The run.
            gate: Asked before each attempt.
            leaves: Called when an attempt leaves.

        Raises:
            DecisionChangedError: The request never left, and its messages are decided differently now.
        """
        attempts = _Attempts(request.method, control, may_be_accepted=not request.fresh)
        try:
            for pause in DEFAULT_RETRY_POLICY.pauses():
                try:
                    with control.interruptible():
                        await self._pause(attempts, pause)
                        admit = partial(gate.admit, request, leaves, may_be_accepted=attempts.may_be_accepted)
                        response = await self._attempt(request, admit)
                except (RunStoppedError, HeldBackError):
                    break
                self._failing[request.method] += attempts.failure is None and isinstance(response, _FAILURES)
                if result := attempts.result_of(response):
                    if isinstance(response, AcceptedByLine):
                        self._given_up.pop(request.method, None)
                    return result
            else:
                return self._give_up(attempts)
            return attempts.result(NotSent())
        finally:
            self._failing[request.method] -= attempts.failure is not None

    async def _pause(self, attempts: _Attempts, seconds: float) -> None:
        """Wait for the next attempt. After a 429 the endpoint waits too, unless LINE accepts other requests."""
        endpoint = endpoint_of("POST", attempts.method.path)
        if attempts.failure is None:
            await asyncio.sleep(seconds)
            return
        if isinstance(attempts.failure, NotAcceptedYet) and not attempts.others_were_accepted:
            self._rate_limiter.pause(endpoint, seconds)
            seconds *= _LONGER_THAN_ENDPOINT
        error = attempts.failure.error
        cause = "a failed connection" if error.status is None else f"status {error.status}"
        next_attempt = f"{cause}, attempt {attempts.count + 1} of {DEFAULT_RETRY_POLICY.attempts}"
        with self.activity.pausing(endpoint, next_attempt, seconds):
            await asyncio.sleep(seconds)

    def _give_up(self, attempts: _Attempts) -> SendResult:
        if attempts.failure is None:
            raise RuntimeError("the retry policy has no attempt")
        error = attempts.failure.error
        others_fail = self._failing[attempts.method] > 1 or self._given_up[attempts.method]
        if others_fail and not attempts.others_were_accepted_meanwhile:
            attempts.control.stop(error)
        self._given_up[attempts.method] += 1
        return attempts.result(GivenUp(error))

    async def _attempt(self, request: ClaimedRequest, admit: BeforeSend) -> SendResponse:
        try:
            response = await self._client.request(
                "POST",
                request.method.path,
                body=request.body.encode(),
                headers={"X-Line-Retry-Key": request.retry_key},
                before_send=admit,
            )
        except UnreachableError as error:
            return PossiblyAccepted(error) if error.may_have_arrived else NotAcceptedYet(error)
        return classify_response(response)


class _Attempts:
    """The attempts to send one request, in comparison with other requests of the method."""

    def __init__(self, method: SendMethod, control: RunControl, *, may_be_accepted: bool) -> None:
        self.method = method
        self.control = control
        self.count = 0
        self.failure: NotAcceptedYet | PossiblyAccepted | None = None
        self.may_be_accepted = may_be_accepted
        self.others_were_accepted = False
        """Whether LINE has accepted other requests between the last two failures."""
        self._accepted_before = self._accepted_at_failure = control.accepted[method]

    @property
    def others_were_accepted_meanwhile(self) -> bool:
        """Whether LINE has accepted other requests since the first attempt."""
        return self.control.accepted[self.method] > self._accepted_before

    def result_of(self, response: SendResponse) -> SendResult | None:
        """Count a response. Return the result, or None if the request is tried again."""
        self.count += 1
        match response:
            case PossiblyAccepted() | NotAcceptedYet():
                self.may_be_accepted |= isinstance(response, PossiblyAccepted)
                accepted = self.control.accepted[self.method]
                self.others_were_accepted = self.failure is not None and accepted > self._accepted_at_failure
                self._accepted_at_failure = accepted
                self.failure = response
                return None
            case SendingImpossible(error=error):
                self.control.stop(error)
                return self.result(NotSent())
            case AcceptedByLine():
                self.control.accepted[self.method] += 1
        return self.result(response)

    def result(self, response: FinalResponse) -> SendResult:
        """Return the result of all attempts."""
        return SendResult(response, self.count, self.may_be_accepted)
