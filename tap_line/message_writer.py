"""Buffered output of Singer messages."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage

from line_core.json_text import storable

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

_BUFFER_BYTES = 64 * 1024
_ESCAPED_NUL = b"\\u0000"


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
        self._buffer += self._encoded(message)
        if len(self._buffer) >= _BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write the buffered messages to standard output."""
        buffered, self._buffer = self._buffer, bytearray()
        sys.stdout.buffer.write(buffered)
        sys.stdout.flush()

    def _encoded(self, message: Message) -> bytes:
        """Return the line of a message. Its texts have no U+0000 and no lone surrogates: not every target stores them.

        The names of people, messages and events contain what strangers have written.
        """
        try:
            line = bytes(self.format_message(message))
        except (UnicodeEncodeError, OverflowError):  # msgspec encodes no integer of more than 64 bits
            line = _ESCAPED_NUL
        if _ESCAPED_NUL not in line:
            return line
        return json.dumps(storable(message.to_dict()), ensure_ascii=False, default=str).encode() + b"\n"
