"""The sandbox as an ASGI application: every request goes through the same steps, in the order that LINE's do."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_sandbox.control import add_control, is_control
from line_sandbox.foundation.api_errors import ErrorResponse, InvalidRequest, NotFound, TooLarge, Unauthorized
from line_sandbox.http.request import HttpRequest
from line_sandbox.http.response import HttpResponse
from line_sandbox.http.routing import Router
from line_sandbox.messages.routes import RETRY_KEY_HEADER
from line_sandbox.platform import Platform, PlatformOptions
from line_sandbox.server.faults import FaultKind, Faults
from line_sandbox.server.line_routes import add_line_routes
from line_sandbox.server.rate_limits import RateLimits
from line_sandbox.server.request_counts import DROPPED, RequestsSeen
from line_sandbox.server.responding import Exchange, answer, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from line_sandbox.http.routing import Route
    from line_sandbox.server.access_log import AccessLog
    from line_sandbox.server.faults import Fault
    from line_sandbox.server.responding import Receive, Send

MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_FILE_BYTES = 64 * 1024 * 1024

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The platform to play, and how the sandbox serves it."""

    platform: PlatformOptions = field(default_factory=PlatformOptions)
    latency_seconds: float = 0.0
    rate_limits: bool = True


class Sandbox:
    """The application."""

    def __init__(self, options: SandboxOptions, *, access_log: AccessLog, drop: Callable[[Any], None]) -> None:
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
        self._rate_limits = RateLimits(self.platform.clock)
        self._requests = 0
        self._router = Router()
        add_line_routes(self._router, self.platform)
        add_control(self._router, self)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        started = time.perf_counter()
        body = await read_body(receive)
        if body is None:
            return  # nothing has happened
        self._requests += 1
        request = HttpRequest(
            number=self._requests,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=scope["headers"],
            body=body,
        )
        if is_control(request.path):
            fault, seen, reply = None, None, await self._control(request)
        else:
            fault, seen = self.faults.next_for(request.method, request.path), self.seen
            reply = await self._line(request, fault)
            if self.options.latency_seconds:
                with contextlib.suppress(asyncio.CancelledError):  # when the sandbox ends
                    await asyncio.sleep(self.options.latency_seconds)
        answered = await answer(reply, fault, Exchange(receive, send, lambda: self._drop(scope["client"])))
        status = reply.status if answered else DROPPED
        if seen:
            seen.count(request.endpoint, status)
        if reply.is_logged:
            self._access_log.write(request, status, time.perf_counter() - started, reply.note)

    async def _control(self, request: HttpRequest) -> HttpResponse:
        """What the control API answers."""
        try:
            route = self._route(request)
            self.platform.deliver_due()
            return await _call(route, request)
        except ErrorResponse as refusal:
            return _refused(refusal)

    async def _line(self, request: HttpRequest, fault: Fault | None) -> HttpResponse:
        """What LINE answers, or the fault in its place."""
        reply = HttpResponse()
        try:
            route = self._route(request)
            if fault is None or not fault.kind.is_before:
                reply = await self._ask(route, request)
        except ErrorResponse as refusal:
            reply = _refused(refusal)
        if fault:
            if fault.kind in (FaultKind.STATUS, FaultKind.STATUS_AFTER_ACCEPT):
                reply.content, reply.status = {"message": _words(fault.status)}, fault.status
            reply.note = f"fault {fault.kind}" + (f", {reply.note}" if reply.note else "")
        reply.headers["x-line-request-id"] = self.platform.request_id(request.number)
        return reply

    async def _ask(self, route: Route, request: HttpRequest) -> HttpResponse:
        if route.requires_token:
            self._authorize(request)
        if self.options.rate_limits:
            self._rate_limits.take(route.endpoint)
        if len(request.body) > (MAX_FILE_BYTES if route.accepts_file else MAX_BODY_BYTES):
            raise TooLarge
        if not route.accepts_retry_key and request.header(RETRY_KEY_HEADER) is not None:
            raise InvalidRequest("The retry key is not supported by this API")
        self.platform.deliver_due()
        return await _call(route, request)

    def _route(self, request: HttpRequest) -> Route:
        found = self._router.find(request.method, request.path)
        if found is None:
            request.endpoint = f"{request.method} (no such endpoint)"
            raise NotFound
        route, request.path_parameters = found
        request.endpoint = route.endpoint
        return route

    def _authorize(self, request: HttpRequest) -> None:
        scheme, _, token = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not self.platform.tokens.accepts(token.strip()):
            raise Unauthorized


async def _call(route: Route, request: HttpRequest) -> HttpResponse:
    reply = route.handler(request)
    return await reply if inspect.isawaitable(reply) else reply


def _refused(refusal: ErrorResponse) -> HttpResponse:
    return HttpResponse(refusal.body(), status=refusal.status, headers={**refusal.headers()}, note=refusal.message)


def _words(status: int) -> str:
    return "Internal Server Error" if status >= _SERVER_ERROR else "The sandbox was asked for this answer"
