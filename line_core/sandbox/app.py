"""The sandbox as an ASGI application: every request goes through the same steps, in the order that LINE's do."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_core.sandbox.control import CONTROL_PREFIX, add_control
from line_core.sandbox.endpoints import add_endpoints
from line_core.sandbox.faults import FaultKind, Faults
from line_core.sandbox.http import JSON, Reply, Request, error_body
from line_core.sandbox.platform.platform import Platform, PlatformOptions
from line_core.sandbox.platform.refusals import NotFound, Refusal, Unauthorized
from line_core.sandbox.requests_seen import DROPPED, RequestsSeen
from line_core.sandbox.routing import Router

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from line_core.sandbox.access_log import AccessLog
    from line_core.sandbox.faults import Fault

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Drop = Callable[[Any], None]

MAX_BODY_BYTES = 2 * 1024 * 1024
_SLOW_CHUNKS = 10


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The platform to play, and how the sandbox serves it."""

    platform: PlatformOptions = field(default_factory=PlatformOptions)
    latency_seconds: float = 0.0
    rate_limits: bool = True


class Sandbox:
    """The application."""

    def __init__(self, options: SandboxOptions, *, access_log: AccessLog, drop: Drop) -> None:
        """Make a platform as new.

        Args:
            options: What to play.
            access_log: Gets a line a request.
            drop: Ends the connection from a client address at once.
        """
        self.options = options
        self.faults = Faults()
        self._access_log = access_log
        self._drop = drop
        self.reset()

    def reset(self) -> None:
        """Forget everything but the faults: a platform as new."""
        self.platform = Platform(self.options.platform)
        self.seen = RequestsSeen()
        self._requests = 0
        self._router = Router()
        add_endpoints(self._router, self.platform)
        add_control(self._router, self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await _lifespan(receive, send)
            return
        started = time.perf_counter()
        body = await _read(receive)
        if body is None:
            return
        self._requests += 1
        request = Request(self._requests, scope["method"], scope["path"], scope["query_string"], scope["headers"], body)
        is_control = request.path.startswith(CONTROL_PREFIX)
        fault = None if is_control else self.faults.next_for(request.method, request.path)
        reply = await self._reply(request, fault)
        if not is_control:
            if self.options.latency_seconds:
                await asyncio.sleep(self.options.latency_seconds)
            reply.headers["x-line-request-id"] = self.platform.request_id(request.number)
            if fault:
                reply.note = f"fault {fault.kind}" + (f", {reply.note}" if reply.note else "")
        answered = await self._answer(reply, fault, scope, receive, send)
        status = reply.status if answered else DROPPED
        if not is_control:
            self.seen.count(request.endpoint, status)
        self._access_log.write(request, status, time.perf_counter() - started, reply.note)

    async def _reply(self, request: Request, fault: Fault | None) -> Reply:
        """What the platform answers, or the fault in its place."""
        found = self._router.find(request.method, request.path)
        request.endpoint = found[0].endpoint if found else f"{request.method} {request.path}"
        if fault and fault.kind.is_before:
            return _fault_reply(fault)
        try:
            reply = await self._ask(request, found)
        except Refusal as refusal:
            reply = Reply(error_body(refusal.message, refusal.details), status=refusal.status, note=refusal.message)
        if fault and fault.kind is FaultKind.STATUS_AFTER_ACCEPT:
            reply = Reply(error_body("Internal Server Error"), status=fault.status, note=reply.note)
        return reply

    async def _ask(self, request: Request, found: Any) -> Reply:
        if found is None:
            raise NotFound
        route, request.path_parameters = found
        if len(request.body) > MAX_BODY_BYTES:
            raise TooLarge
        if not request.path.startswith(CONTROL_PREFIX):
            if not route.is_open:
                self._authorize(request)
            if self.options.rate_limits:
                self.platform.rate_limits.take(route.endpoint)
        reply = route.handler(request)
        return await reply if inspect.isawaitable(reply) else reply

    def _authorize(self, request: Request) -> None:
        scheme, _, token = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not self.platform.tokens.accepts(token.strip()):
            raise Unauthorized

    async def _answer(self, reply: Reply, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> bool:
        """Send the answer, or do to it what the fault says; tells whether it was sent."""
        kind = fault.kind if fault else None
        if fault and kind in (FaultKind.TIMEOUT, FaultKind.TIMEOUT_AFTER_ACCEPT):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(receive(), fault.seconds)
        if kind in _DROPPED:
            self._drop(scope["client"])
            await receive()
            return False
        body = reply.body()
        if kind is FaultKind.MALFORMED:
            body = body[: len(body) // 2] + b"<html>"
        headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if fault and kind is FaultKind.SLOW:
            step = max(1, -(-len(body) // _SLOW_CHUNKS))
            for start in range(0, len(body), step):
                await asyncio.sleep(fault.seconds / _SLOW_CHUNKS)
                await send({"type": "http.response.body", "body": body[start : start + step], "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})
        return True


class TooLarge(Refusal):
    """The body is larger than LINE takes."""

    status = 413

    def __init__(self) -> None:
        super().__init__("Request entity too large")


_DROPPED = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER_ACCEPT,
    FaultKind.TIMEOUT,
    FaultKind.TIMEOUT_AFTER_ACCEPT,
)


def _fault_reply(fault: Fault) -> Reply:
    return Reply(error_body("Internal Server Error" if fault.status >= 500 else "Fault"), status=fault.status)  # noqa: PLR2004


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if the client went away before it was all there."""
    message = await receive()
    if not message.get("more_body"):
        return message["body"] if message["type"] == "http.request" else None
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
    return b"".join(parts)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
