"""Limits per connection that uvicorn does not have: the time and the bytes that one request may take to arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.config import Config

from line_core.serving.uvicorn_names import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_MAX_BYTES_OUTSIDE_BODY = 64 * 1024


class LimitedConfig(Config):
    """uvicorn's configuration with `LimitedProtocol` and its time limit."""

    def __init__(self, *, client_timeout_seconds: float, **uvicorn_settings: Any) -> None:
        super().__init__(http=LimitedProtocol, **uvicorn_settings)
        self.client_timeout_seconds = client_timeout_seconds


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection whose request arrives too slowly, or is too large outside its body.

    The time limit runs from the first byte of a request (for the first request: from the connection) to its last byte.
    Bytes outside the body are the request line, headers, chunk framing and trailers.
    """

    config: LimitedConfig

    def __init__(self, *arguments: Any, **named_arguments: Any) -> None:
        super().__init__(*arguments, **named_arguments)
        self._timer: asyncio.TimerHandle | None = None
        self._is_request_incomplete = True
        self._bytes_outside_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._update_timer()

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr] # none before a request
            self._is_request_incomplete = True
        self._bytes_outside_body += len(data)  # `on_body` subtracts the bytes of the body
        super().data_received(data)
        if self._bytes_outside_body > _MAX_BYTES_OUTSIDE_BODY:
            self._close_connection()
        self._update_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_request_incomplete = False
        self._update_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._bytes_outside_body = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        self._bytes_outside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_request_incomplete = False
        super().on_message_complete()

    def _update_timer(self) -> None:
        """Start the timer if a request is incomplete and no timer runs; stop the timer if no request is incomplete."""
        if self._is_request_incomplete and self._timer is None:
            self._timer = self.loop.call_later(self.config.client_timeout_seconds, self._close_connection)
        elif not self._is_request_incomplete and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_connection(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
