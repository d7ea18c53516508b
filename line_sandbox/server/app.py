"""The ASGI application: receives a request, lets LINE's API or the control API respond, sends and logs the response."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from line_sandbox.http.request import HttpRequest
from line_sandbox.server.exchange import Exchange, receive_body, send_response
from line_sandbox.server.handling import respond_control, respond_line
from line_sandbox.server.request_counts import DROPPED

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from line_sandbox.http.routing import Router
    from line_sandbox.server.access_log import AccessLogWriter
    from line_sandbox.server.exchange import Receive, Send
    from line_sandbox.server.sandbox import Sandbox

_CONTROL_PREFIX = "/sandbox"


class SandboxApp:
    """Serves a sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        control_router: Router,
        *,
        access_log: AccessLogWriter,
        abort_connection: Callable[[Any], None],
    ) -> None:
        """Store the dependencies.

        Args:
            sandbox: The state to serve.
            control_router: Routes of the control API and the page.
            access_log: Receives one line for each request.
            abort_connection: Closes the connection of a client address immediately.
        """
        self._sandbox = sandbox
        self._control_router = control_router
        self._access_log = access_log
        self._abort_connection = abort_connection

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        started = time.perf_counter()
        body = await receive_body(receive)
        if body is None:
            return  # the client disconnected; the request has no effect
        sandbox = self._sandbox
        request = HttpRequest(
            number=sandbox.next_request_number(),
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=scope["headers"],
            body=body,
        )
        if _is_control(request.path):
            fault, counts, response = None, None, await respond_control(sandbox, self._control_router, request)
        else:
            fault, counts = sandbox.faults.take(request), sandbox.request_counts
            response = await respond_line(sandbox, request, fault)
            if sandbox.options.latency_seconds:
                with contextlib.suppress(asyncio.CancelledError):  # the server is stopping
                    await asyncio.sleep(sandbox.options.latency_seconds)
        exchange = Exchange(receive, send, lambda: self._abort_connection(scope["client"]))
        status = response.status if await send_response(response, fault, exchange) else DROPPED
        if counts:
            counts.add(request.endpoint, status)
        if response.is_logged:
            self._access_log.write(request, status, time.perf_counter() - started, response.note)


def _is_control(path: str) -> bool:
    return path == "/" or path.startswith(_CONTROL_PREFIX)
