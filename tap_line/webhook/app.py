"""The receiver's HTTP side: who may store what, and what LINE is answered."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from line_core.errors import StoreError
from line_core.events import MalformedBodyError, parse_events
from line_core.store import open_store
from line_core.store.inbox import write_events
from tap_line.webhook.group_commit import GroupCommit
from tap_line.webhook.signature import is_signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from line_core.events import ReceivedEvent
    from line_core.store import Store
    from tap_line.webhook.settings import Settings

_log = logging.getLogger(__name__)

_OK = JSONResponse({})
_UNKNOWN_CHANNEL = JSONResponse({"message": "there is no such channel"}, 404)
_TOO_LARGE = JSONResponse({"message": "the body is too large"}, 413)
_WRONG_SIGNATURE = JSONResponse({"message": "the signature is missing or wrong"}, 401)
_NOT_A_WEBHOOK = JSONResponse({"message": "the body is not a webhook request"}, 400)
_TRY_AGAIN = JSONResponse({"message": "the store is not available; send it again"}, 503)


class _RefusedError(Exception):
    """The request is not to be stored; the answer says why."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Receiver:
    """Answers requests; what it answers 200 to is durable."""

    def __init__(self, settings: Settings) -> None:
        """Set up for the channels of the settings; `lifespan` opens the store."""
        self._settings = settings
        self._channels = {name: channel.secrets for name, channel in settings.channels_by_name().items()}
        self._commit: GroupCommit[list[ReceivedEvent]]
        self._stored = 0

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Open the store, write while the app serves, and finish what is queued before closing it."""
        with open_store(self._settings.store_url) as store:
            self._commit = GroupCommit(partial(_write, store))
            writing = asyncio.create_task(self._commit.run())
            try:
                yield
            finally:
                self._commit.close()
                await writing

    async def webhook(self, request: Request) -> Response:
        """`POST /webhook/<channel>`."""
        try:
            events = await self._signed_events(request)
            if events:
                await self._store(events)
        except _RefusedError as refused:
            return refused.answer
        return _OK

    async def health(self, _request: Request) -> Response:
        """`GET /health`: the process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """`GET /ready`: events can be stored."""
        return JSONResponse({"status": "ready"})

    async def metrics(self, _request: Request) -> Response:
        """`GET /metrics`: Prometheus text."""
        return PlainTextResponse(
            f"# TYPE line_webhook_events_stored_total counter\nline_webhook_events_stored_total {self._stored}\n"
        )

    async def _signed_events(self, request: Request) -> list[ReceivedEvent]:
        channel = request.path_params["channel"]
        secrets = self._channels.get(channel)
        if secrets is None:
            raise _RefusedError(_UNKNOWN_CHANNEL)
        body = await self._body(request)
        if not is_signed(body, request.headers.get("x-line-signature", "").encode("latin-1"), secrets):
            raise _RefusedError(_WRONG_SIGNATURE)
        try:
            return parse_events(channel, body, datetime.now(UTC))
        except MalformedBodyError as error:
            _log.warning("channel %s: %s", channel, error)
            raise _RefusedError(_NOT_A_WEBHOOK) from None

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self._settings.max_body_bytes:
                raise _RefusedError(_TOO_LARGE)
        return bytes(body)

    async def _store(self, events: list[ReceivedEvent]) -> None:
        try:
            async with asyncio.timeout(self._settings.store_timeout_seconds):
                await self._commit.add(events)
        except (StoreError, TimeoutError) as error:
            _log.warning("%d events not stored: %s", len(events), str(error) or "the store is too slow")
            raise _RefusedError(_TRY_AGAIN) from None
        self._stored += len(events)


def _write(store: Store, groups: list[list[ReceivedEvent]]) -> None:
    with store.write(alone="inbox") as connection:
        write_events(connection, [event for events in groups for event in events])


def create_app(settings: Settings) -> Starlette:
    """Make the ASGI application."""
    receiver = Receiver(settings)
    return Starlette(
        lifespan=receiver.lifespan,
        routes=[
            Route("/webhook/{channel}", receiver.webhook, methods=["POST"]),
            Route("/health", receiver.health, methods=["GET"]),
            Route("/ready", receiver.ready, methods=["GET"]),
            Route("/metrics", receiver.metrics, methods=["GET"]),
        ],
    )
