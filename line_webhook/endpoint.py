"""`POST /webhook/<channel>`: who may store what, and what LINE is answered."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType
from starlette.responses import JSONResponse, Response

from line_core.webhook_events.parsing import MalformedWebhookError, parse_events
from line_webhook.bodies import DisconnectedError, TooLargeError, TooManyError
from line_webhook.logs import AccessLine
from line_webhook.metrics import REQUESTS, UNKNOWN_CHANNEL
from line_webhook.signature import is_signed
from line_webhook.store_thread import NotStoredError
from line_webhook.storing import SignedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from line_webhook.bodies import Bodies
    from line_webhook.logs import AccessLog
    from line_webhook.metrics import Metrics
    from line_webhook.store_thread import StoreThread

_OK: Final = Response()
_MALFORMED: Final[Response] = JSONResponse({"message": "the body is not a webhook request"}, 400)
_UNSIGNED: Final[Response] = JSONResponse({"message": "the signature is missing or wrong"}, 401)
_UNKNOWN: Final[Response] = JSONResponse({"message": "there is no such channel"}, 404)
_TOO_LARGE: Final[Response] = JSONResponse({"message": "the body is too large"}, 413)
_TRY_AGAIN: Final[Response] = JSONResponse({"message": "events cannot be stored at present"}, 503)

_LONGEST_LOGGED_NAME = 64


class _RefusedError(Exception):
    """The request is not to be stored."""

    def __init__(self, answer: Response, reason: str | None = None) -> None:
        super().__init__(reason)
        self.answer = answer
        self.reason = reason


class WebhookEndpoint:
    """An ASGI application that answers 200 to what is durable."""

    def __init__(
        self,
        secrets: Mapping[str, tuple[bytes, ...]],
        bodies: Bodies,
        store: StoreThread[SignedRequest],
        on_stored: Callable[[str], None],
        observed_by: tuple[Metrics, AccessLog],
    ) -> None:
        """Set up.

        Args:
            secrets: The secrets that may sign, by channel name.
            bodies: Reads bodies.
            store: Stores requests.
            on_stored: Told the channel of each request that was stored.
            observed_by: Told of each answer.
        """
        self._secrets = secrets
        self._bodies = bodies
        self._store = store
        self._on_stored = on_stored
        self._metrics, self._access_log = observed_by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        channel: str = scope["path_params"]["channel"]
        line = AccessLine(at=datetime.now(UTC), channel=channel[:_LONGEST_LOGGED_NAME], client=_client(scope))
        body = b""
        try:
            body = await self._read(channel, receive)
            await self._keep(channel, body, _signature(scope), line)
            answer = _OK
        except _RefusedError as refused:
            answer = refused.answer
            line.reason = refused.reason or UNSET
        except DisconnectedError:
            return
        finally:
            self._bodies.release(body)
        await answer(scope, receive, send)
        seconds = time.perf_counter() - started
        self._metrics.add(REQUESTS, channel if channel in self._secrets else UNKNOWN_CHANNEL, str(answer.status_code))
        self._metrics.observe_seconds(seconds)
        line.status = answer.status_code
        line.milliseconds = round(seconds * 1000, 1)
        self._access_log.write(line)

    async def _read(self, channel: str, receive: Receive) -> bytes:
        if channel not in self._secrets:
            raise _RefusedError(_UNKNOWN)
        try:
            return await self._bodies.read(receive)
        except TooLargeError:
            raise _RefusedError(_TOO_LARGE) from None
        except TooManyError:
            raise _RefusedError(_TRY_AGAIN, "too many bodies at once") from None

    async def _keep(self, channel: str, body: bytes, signature: bytes, line: AccessLine) -> None:
        line.bytes = len(body)
        if not is_signed(body, signature, self._secrets[channel]):
            raise _RefusedError(_UNSIGNED)
        try:
            events = parse_events(channel, body, line.at)
        except MalformedWebhookError as error:
            raise _RefusedError(_MALFORMED, str(error)) from None
        line.events = len(events)
        if not events:
            return
        try:
            await self._store.add(SignedRequest(channel, events, body, signature))
        except NotStoredError as error:
            raise _RefusedError(_TRY_AGAIN, str(error)) from None
        self._on_stored(channel)


def _signature(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-line-signature":
            return bytes(value)
    return b""


def _client(scope: Scope) -> str | UnsetType:
    client = scope.get("client")
    return str(client[0]) if client else UNSET
