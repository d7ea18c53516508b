"""Send one claimed request, with retries under its retry key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import UnreachableError
from line_core.api.retry import DEFAULT_RETRY_POLICY
from target_line.sending.send.responses import (
    AcceptedByLine,
    NotAcceptedYet,
    PossiblyAccepted,
    RejectedByLine,
    SendingImpossible,
    classify_response,
)

if TYPE_CHECKING:
    from line_core.api.client import LineClient
    from line_core.api.rate_limit.limiter import RateLimiter
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.send.responses import SendResponse
    from target_line.sending.send.run_control import RunControl


@dataclass(frozen=True, slots=True)
class SendResult:
    """Result of all attempts to send a request."""

    response: AcceptedByLine | RejectedByLine | None
    """None if LINE neither accepted nor rejected the request in this run."""
    attempts: int
    may_be_accepted: bool = False
    """Without a response: whether LINE may have accepted the request."""


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

    async def send(self, request: ClaimedRequest, control: RunControl) -> SendResult:
        """Send a request until LINE accepts or rejects it, the attempts are used up, or the run stops.

        Stops the run if LINE accepts no request at all, or if the attempts are used up.
        """
        may_be_accepted = not request.fresh
        failure: NotAcceptedYet | PossiblyAccepted | None = None
        attempts = 0
        for pause in DEFAULT_RETRY_POLICY.pauses():
            if isinstance(failure, NotAcceptedYet):
                self._rate_limiter.pause(endpoint_of("POST", request.method.path), pause)
            await asyncio.sleep(pause)
            if control.stop_reason:
                break
            attempts += 1
            match await self._attempt(request):
                case AcceptedByLine() | RejectedByLine() as response:
                    return SendResult(response, attempts)
                case SendingImpossible(error=error):
                    control.stop(error)
                case PossiblyAccepted() as failure:
                    may_be_accepted = True
                case NotAcceptedYet() as failure:
                    pass
        else:
            if failure:
                control.stop(failure.error)
        return SendResult(None, attempts, may_be_accepted=may_be_accepted)

    async def _attempt(self, request: ClaimedRequest) -> SendResponse:
        try:
            response = await self._client.request(
                "POST",
                request.method.path,
                body=request.body.encode(),
                headers={"X-Line-Retry-Key": request.retry_key},
            )
        except UnreachableError as error:
            return PossiblyAccepted(error) if error.may_have_arrived else NotAcceptedYet(error)
        return classify_response(response)
