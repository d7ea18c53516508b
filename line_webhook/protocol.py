"""HTTP with limits that uvicorn does not set: how long a request may take to arrive, and how much may surround it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.config import Config

from line_core.serving.uvicorn_names import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_MOST_BYTES_AROUND_THE_BODY = 64 * 1024


class BoundedConfig(Config):
    """uvicorn's configuration with `BoundedProtocol` and its limit."""

    def __init__(self, *, client_timeout_seconds: float, **named: Any) -> None:
        """Configure.

        Args:
            client_timeout_seconds: How long a request may take to arrive.
            **named: uvicorn's own settings.
        """
        super().__init__(http=BoundedProtocol, **named)
        self.client_timeout_seconds = client_timeout_seconds


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose request does not arrive whole in time, or with too much head, framing and trailer."""

    config: BoundedConfig

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Set up for one connection."""
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._arriving = True
        self._bytes_around_the_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for the first request no longer than for the rest of one."""
        super().connection_made(transport)
        self._keep_time()

    def data_received(self, data: bytes) -> None:
        """Take what arrived."""
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr] # uvicorn begins with none
            self._arriving = True
        self._bytes_around_the_body += len(data)
        super().data_received(data)
        if self._bytes_around_the_body > _MOST_BYTES_AROUND_THE_BODY:
            self._cut()
        self._keep_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._arriving = False
        self._keep_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._bytes_around_the_body = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A part of the body is here."""
        self._bytes_around_the_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._arriving = False
        super().on_message_complete()

    def _keep_time(self) -> None:
        """The clock runs while a request is due, from its first byte (or the connection) to its last."""
        if self._arriving and self._deadline is None:
            self._deadline = self.loop.call_later(self.config.client_timeout_seconds, self._cut)
        elif not self._arriving and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
