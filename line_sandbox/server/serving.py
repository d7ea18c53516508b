"""Runs the sandbox's web server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

from line_core.serving.listener import http_url, open_listener
from line_sandbox.server.access_log import AccessLogWriter
from line_sandbox.server.app import SandboxApp
from line_sandbox.server.connections import Connections

if TYPE_CHECKING:
    import socket

    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox

_BACKLOG = 4096
_KEEP_ALIVE_SECONDS = 75
_GRACEFUL_SHUTDOWN_SECONDS = 1


class _Server(uvicorn.Server):
    """Prints the URL when it accepts requests; closes all connections when it stops."""

    def __init__(self, config: uvicorn.Config, url: str, connections: Connections) -> None:
        super().__init__(config)
        self._url = url
        self._connections = connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"line-sandbox ready at {self._url}", flush=True)  # noqa: T201 - the program's output

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.abort_all()
        await super().shutdown(sockets)


def serve(sandbox: Sandbox, control_router: Router, *, host: str, port: int, access_log: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        sandbox: The state to serve.
        control_router: Routes of the control API and the page.
        host: Address to listen on.
        port: Port to listen on; 0 for a free port.
        access_log: Whether to write one line for each request to stderr.

    Raises:
        SettingError: The address cannot be used.
    """
    listener = open_listener(host, port, backlog=_BACKLOG)
    connections = Connections()
    app = SandboxApp(
        sandbox,
        control_router,
        access_log=AccessLogWriter(sys.stderr if access_log else None),
        abort_connection=connections.abort,
    )
    config = uvicorn.Config(
        app,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACEFUL_SHUTDOWN_SECONDS,
    )
    _Server(config, http_url(host, listener.getsockname()[1]), connections).run(sockets=[listener])
