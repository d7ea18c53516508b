"""Read requests' bodies into memory, and never more of them than is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive


class TooLargeError(Exception):
    """This body is larger than a body may be."""


class TooManyError(Exception):
    """The bodies held at present leave no room for this one."""


class DisconnectedError(Exception):
    """The client went away before its request was whole."""


class Bodies:
    """The bodies held in memory, from their first byte to `release`."""

    def __init__(self, largest: int, most_together: int) -> None:
        """Hold nothing yet.

        Args:
            largest: Bytes a body may have.
            most_together: Bytes all bodies may have together.
        """
        self._largest = largest
        self._most_together = most_together
        self.held = 0

    async def read(self, receive: Receive) -> bytes:
        """Read a body; the caller releases it.

        Raises:
            TooLargeError: It has more bytes than a body may have.
            TooManyError: There is no room for it.
            DisconnectedError: It ended early.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async for part in _parts(receive):
                parts.append(part)
                size += len(part)
                self.held += len(part)
                self._check(size)
        except BaseException:
            self.held -= size
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, body: bytes) -> None:
        """Give a body's room back."""
        self.held -= len(body)

    def _check(self, size: int) -> None:
        if size > self._largest:
            raise TooLargeError
        if self.held > self._most_together:
            raise TooManyError


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        yield message.get("body", b"")
        more = message.get("more_body", False)
