"""Runs the sandbox: listens, says when it answers, ends well."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from line_core.serving.listener import http_url, open_listener
from line_core.serving.uvicorn_names import HttpToolsProtocol
from line_sandbox.server.access_log import AccessLog
from line_sandbox.server.app import Sandbox

if TYPE_CHECKING:
    import asyncio
    import socket

    from line_sandbox.server.app import SandboxOptions

_BACKLOG = 4096
_KEEP_ALIVE_SECONDS = 75
_STOP_SECONDS = 1


class _Connections:
    """The open connections, by client address, so that a fault can end one."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def drop(self, client: Any) -> None:  # noqa: ANN401 - an address, as the socket gives it
        """End a connection at once, in the middle of whatever it is at."""
        transport = self._open.get(client)
        if transport is not None:
            transport.abort()

    def drop_all(self) -> None:
        """End all connections: nobody is waited for who waits for a fault."""
        for transport in list(self._open.values()):
            transport.abort()

    def protocol(self) -> type[HttpToolsProtocol]:
        """The HTTP protocol, which enters its connections here."""
        connections = self._open

        class Protocol(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its base
                super().connection_made(transport)
                connections[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.client, None)
                super().connection_lost(exc)

        return Protocol


class _Server(uvicorn.Server):
    """Says on stdout when it answers, and ends at once."""

    def __init__(self, config: uvicorn.Config, url: str, connections: _Connections) -> None:
        super().__init__(config)
        self._url = url
        self._connections = connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"line-sandbox ready at {self._url}", flush=True)  # noqa: T201 - the program's output

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.drop_all()
        await super().shutdown(sockets)


def serve(options: SandboxOptions, *, host: str, port: int, access_log: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: What to play.
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        access_log: Whether to write a line a request to stderr.

    Raises:
        SettingError: The address cannot be listened on.
    """
    listener = open_listener(host, port, backlog=_BACKLOG)
    connections = _Connections()
    sandbox = Sandbox(options, access_log=AccessLog(sys.stderr if access_log else None), drop=connections.drop)
    config = uvicorn.Config(
        sandbox,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    _Server(config, http_url(host, listener.getsockname()[1]), connections).run(sockets=[listener])
