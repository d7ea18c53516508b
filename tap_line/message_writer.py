"""Write Singer messages fast."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

_BUFFER_BYTES = 64 * 1024


class BufferedMessageWriter(MsgSpecWriter):
    """Writes messages with msgspec, and many records at once.

    The SDK's own writer flushes after every record, which costs as much as making it. Here records wait for each other,
    but never longer than for the state, or any other message, that follows them; streams flush at their end.
    """

    def __init__(self) -> None:
        """Begin with nothing to write."""
        super().__init__()
        self._waiting = bytearray()

    def write_message(self, message: Message) -> None:
        """Write a message after all before it."""
        self._waiting += self.format_message(message)
        if len(self._waiting) >= _BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, bytearray()
        sys.stdout.buffer.write(waiting)
        sys.stdout.flush()
