"""`POST /webhook/<channel>`: who may store what, and what LINE is answered."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from line_core.events import MalformedBodyError, parse_events
from tap_line.webhook.bodies import DisconnectedError, TooLargeError, TooManyError
from tap_line.webhook.group_commit import NotStoredError
from tap_line.webhook.logs import ACCESS
from tap_line.webhook.metrics import REQUESTS, UNKNOWN_CHANNEL
from tap_line.webhook.signature import is_signed
from tap_line.webhook.storing import SignedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from tap_line.webhook.bodies import Bodies
    from tap_line.webhook.group_commit import GroupCommit
    from tap_line.webhook.metrics import Metrics

_log = logging.getLogger(__name__)

_OK: Final[Response] = JSONResponse({})
_MALFORMED: Final[Response] = JSONResponse({"message": "the body is not a webhook request"}, 400)
_UNSIGNED: Final[Response] = JSONResponse({"message": "the signature is missing or wrong"}, 401)
_UNKNOWN: Final[Response] = JSONResponse({"message": "there is no such channel"}, 404)
_TOO_LARGE: Final[Response] = JSONResponse({"message": "the body is too large"}, 413)
_TRY_AGAIN: Final[Response] = JSONResponse({"message": "events cannot be stored at present"}, 503)

_LONGEST_LOGGED_NAME = 64


class WebhookEndpoint:
    """An ASGI application that answers 200 to what is durable."""

    def __init__(
        self,
        secrets: Mapping[str, tuple[bytes, ...]],
        bodies: Bodies,
        commit: GroupCommit[SignedRequest],
        metrics: Metrics,
        on_stored: Callable[[str], None],
    ) -> None:
        """Set up.

        Args:
            secrets: The secrets that may sign, by channel name.
            bodies: Reads bodies.
            commit: Stores requests.
            metrics: Counts answers.
            on_stored: Told the channel of each request that was stored.
        """
        self._secrets = secrets
        self._bodies = bodies
        self._commit = commit
        self._metrics = metrics
        self._on_stored = on_stored

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        channel: str = scope["path_params"]["channel"]
        body = b""
        facts: dict[str, Any] = {}
        try:
            secrets = self._secrets.get(channel)
            if secrets is None:
                answer = _UNKNOWN
            else:
                body = await self._bodies.read(receive)
                answer = await self._store(channel, secrets, _signature(scope), body, facts)
        except TooLargeError:
            answer = _TOO_LARGE
        except TooManyError:
            answer = _TRY_AGAIN
        except DisconnectedError:
            return
        finally:
            self._bodies.release(body)
        await answer(scope, receive, send)
        self._account(channel, answer, time.perf_counter() - started, scope, facts)

    async def _store(
        self, channel: str, secrets: tuple[bytes, ...], signature: bytes, body: bytes, facts: dict[str, Any]
    ) -> Response:
        facts["bytes"] = len(body)
        if not is_signed(body, signature, secrets):
            return _UNSIGNED
        try:
            events = parse_events(channel, body, datetime.now(UTC))
        except MalformedBodyError as error:
            facts["reason"] = str(error)
            return _MALFORMED
        facts["events"] = len(events)
        if not events:
            return _OK
        try:
            await self._commit.add(SignedRequest(channel, events, body, signature))
        except NotStoredError as error:
            facts["reason"] = str(error)
            return _TRY_AGAIN
        self._on_stored(channel)
        return _OK

    def _account(self, channel: str, answer: Response, seconds: float, scope: Scope, facts: dict[str, Any]) -> None:
        label = channel if channel in self._secrets else UNKNOWN_CHANNEL
        self._metrics.add(REQUESTS, label, str(answer.status_code))
        self._metrics.observe_seconds(seconds)
        if ACCESS.isEnabledFor(logging.INFO):
            client = scope.get("client")
            fields = {
                "channel": channel[:_LONGEST_LOGGED_NAME],
                "status": answer.status_code,
                "milliseconds": round(seconds * 1000, 1),
                "client": client[0] if client else None,
                **facts,
            }
            ACCESS.info("webhook", extra={"fields": fields})


def _signature(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-line-signature":
            return bytes(value)
    return b""
