"""`POST /webhook/<channel>`: check, store and respond.

| status | reason |
|---|---|
| 200 | the events are durable, or the request had no events |
| 400 | valid signature, but not a webhook request |
| 401 | signature missing or wrong |
| 404 | unknown channel |
| 413 | body too large |
| 503 | the store did not commit in time, or too many bodies are in memory |
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import UNSET
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from line_core.webhook_events.parsing import MalformedWebhookError, parse_events
from line_webhook.receiving.access_log import AccessLogEntry
from line_webhook.receiving.request_bodies import BodyTooLargeError, BuffersFullError
from line_webhook.receiving.signature import is_valid_signature
from line_webhook.storage.group_commit import NotStoredError
from line_webhook.storage.request_writer import SignedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from line_webhook.metrics.counters import ReceiverMetrics
    from line_webhook.receiving.access_log import WebhookAccessLog
    from line_webhook.receiving.request_bodies import RequestBodies
    from line_webhook.storage.group_commit import GroupCommitThread

_OK: Final = Response()
_MALFORMED: Final[Response] = JSONResponse({"message": "the body is not a webhook request"}, 400)
_UNSIGNED: Final[Response] = JSONResponse({"message": "the signature is missing or wrong"}, 401)
_UNKNOWN_CHANNEL: Final[Response] = JSONResponse({"message": "unknown channel"}, 404)
_TOO_LARGE: Final[Response] = JSONResponse({"message": "the body is too large"}, 413)
_UNAVAILABLE: Final[Response] = JSONResponse({"message": "events cannot be stored at the moment"}, 503)

_MAX_LOGGED_CHANNEL_LENGTH = 64


class _RejectedRequestError(Exception):
    """The request must not be stored; `response` is the response to send."""

    def __init__(self, response: Response, reason: str | None = None) -> None:
        super().__init__(reason)
        self.response = response
        self.reason = reason


class RequestRecorder:
    """Counts each response in the metrics and writes it to the access log."""

    def __init__(self, metrics: ReceiverMetrics, access_log: WebhookAccessLog) -> None:
        self._metrics = metrics
        self._access_log = access_log

    def record(self, channel: str, entry: AccessLogEntry, status: int, seconds: float) -> None:
        self._metrics.count_request(channel, status, seconds)
        entry.status = status
        entry.milliseconds = round(seconds * 1000, 1)
        self._access_log.write(entry)


class ReceiverEndpoint:
    """The ASGI application that receives webhook requests. It responds 200 only after the commit.

    It reads the ASGI scope directly. Starlette's `Request` would add 2 µs per request (3 % of the CPU time), and a
    Starlette request handler would also add an exception handler to each request.
    """

    def __init__(
        self,
        secrets: Mapping[str, tuple[bytes, ...]],
        bodies: RequestBodies,
        store: GroupCommitThread[SignedRequest],
        recorder: RequestRecorder,
        on_stored: Callable[[str], None],
    ) -> None:
        """Store the dependencies.

        Args:
            secrets: By channel name, the secrets that LINE may sign with.
            bodies: Reads the bodies.
            store: Stores the requests.
            recorder: Called for each response.
            on_stored: Called with the channel name of each request that was stored.
        """
        self._secrets = secrets
        self._bodies = bodies
        self._store = store
        self._recorder = recorder
        self._on_stored = on_stored

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive one request and respond."""
        started = time.perf_counter()
        channel: str = scope["path_params"]["channel"]
        client = scope.get("client")
        entry = AccessLogEntry(
            at=datetime.now(UTC),
            channel=channel[:_MAX_LOGGED_CHANNEL_LENGTH],
            client=str(client[0]) if client else UNSET,
        )
        body = b""
        response = _OK
        try:
            body = await self._read_body(channel, receive)
            signature = next((value for name, value in scope["headers"] if name == b"x-line-signature"), b"")
            await self._store_events(channel, body, signature, entry)
        except _RejectedRequestError as rejected:
            response = rejected.response
            entry.reason = rejected.reason or UNSET
        except ClientDisconnect:
            return
        finally:
            self._bodies.release(body)
        await response(scope, receive, send)
        self._recorder.record(channel, entry, response.status_code, time.perf_counter() - started)

    async def _read_body(self, channel: str, receive: Receive) -> bytes:
        if channel not in self._secrets:
            raise _RejectedRequestError(_UNKNOWN_CHANNEL)
        try:
            return await self._bodies.read(receive)
        except BodyTooLargeError:
            raise _RejectedRequestError(_TOO_LARGE) from None
        except BuffersFullError:
            raise _RejectedRequestError(_UNAVAILABLE, "too many bodies in memory") from None

    async def _store_events(self, channel: str, body: bytes, signature: bytes, entry: AccessLogEntry) -> None:
        entry.bytes = len(body)
        if not is_valid_signature(body, signature, self._secrets[channel]):
            raise _RejectedRequestError(_UNSIGNED)
        try:
            events = parse_events(channel, body, entry.at)
        except MalformedWebhookError as error:
            raise _RejectedRequestError(_MALFORMED, str(error)) from None
        entry.events = len(events)
        if not events:
            return
        try:
            await self._store.add(SignedRequest(channel, events, body, signature))
        except NotStoredError as error:
            raise _RejectedRequestError(_UNAVAILABLE, str(error)) from None
        self._on_stored(channel)
