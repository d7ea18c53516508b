"""Keeps the open connections, so that faults and the end of the server can close them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.serving.uvicorn_names import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio


class Connections:
    """The open connections by client address."""

    def __init__(self) -> None:
        self._transports: dict[Any, asyncio.Transport] = {}

    def abort(self, client: Any) -> None:  # noqa: ANN401 - an address, as the socket gives it
        """Close the connection of a client immediately, without sending pending data."""
        transport = self._transports.get(client)
        if transport is not None:
            transport.abort()

    def abort_all(self) -> None:
        """Close all connections immediately, also those that a fault keeps open."""
        for transport in list(self._transports.values()):
            transport.abort()

    def protocol(self) -> type[HttpToolsProtocol]:
        """Return uvicorn's HTTP protocol class, extended to register its connections here."""
        transports = self._transports

        class RegisteredProtocol(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
                super().connection_made(transport)
                transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        return RegisteredProtocol
