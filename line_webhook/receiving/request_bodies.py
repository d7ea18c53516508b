"""Read request bodies into memory, within a limit per body and a limit for all bodies together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive


class BodyTooLargeError(Exception):
    """The body has more bytes than one body may have."""


class BuffersFullError(Exception):
    """The bodies in memory already use the bytes allowed for all bodies."""


class RequestBodies:
    """Reads bodies and counts the bytes in memory, from the first chunk of a body until `release`."""

    def __init__(self, *, max_body_bytes: int, max_buffered_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_buffered_bytes = max_buffered_bytes
        self.buffered_bytes = 0

    async def read(self, receive: Receive) -> bytes:
        """Read a body. Call `release` when the body is no longer needed.

        Raises:
            BodyTooLargeError: The body is larger than `max_body_bytes`.
            BuffersFullError: All bodies together are larger than `max_buffered_bytes`.
            ClientDisconnect: The client closed the connection before the end of the body.
        """
        received: list[bytes] = []
        size = 0
        try:
            async for chunk in _chunks(receive):
                received.append(chunk)
                size += len(chunk)
                self.buffered_bytes += len(chunk)
                self._check_limits(size)
        except BaseException:
            self.buffered_bytes -= size
            raise
        return b"".join(received)

    def release(self, body: bytes) -> None:
        """Subtract a body from the bytes in memory."""
        self.buffered_bytes -= len(body)

    def _check_limits(self, size: int) -> None:
        if size > self._max_body_bytes:
            raise BodyTooLargeError
        if self.buffered_bytes > self._max_buffered_bytes:
            raise BuffersFullError


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        has_more = message.get("more_body", False)
