"""Buffered output of Singer messages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

_BUFFER_BYTES = 64 * 1024


class BufferedMessageWriter(MsgSpecWriter):
    """Encodes messages with msgspec and writes RECORD messages in batches.

    The SDK's writer flushes after each record, which takes as long as creating the record. This writer keeps RECORD
    messages in a buffer. It writes the buffer when the buffer is full and before any other message (such as STATE)
    becomes visible. Streams flush the buffer when they end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Append a message. Flush if the buffer is full or the message is not a RECORD."""
        self._buffer += self.format_message(message)
        if len(self._buffer) >= _BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write the buffered messages to standard output."""
        buffered, self._buffer = self._buffer, bytearray()
        sys.stdout.buffer.write(buffered)
        sys.stdout.flush()
