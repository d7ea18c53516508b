"""One JSON line per webhook request: no message contents, no secrets, no LINE IDs."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from datetime import datetime
    from typing import BinaryIO

_encode_lines = msgspec.json.Encoder().encode_lines


class AccessLogEntry(msgspec.Struct, kw_only=True, gc=False):
    """The fields of one line; unset fields are left out."""

    at: datetime
    level: str = "info"
    message: str = "webhook"
    channel: str
    status: int = 0
    milliseconds: float = 0.0
    client: str | UnsetType = UNSET
    bytes: int | UnsetType = UNSET
    events: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class WebhookAccessLog:
    """Writes entries to a stream; all entries of one event loop iteration in one write."""

    def __init__(self, stream: BinaryIO | None) -> None:
        """Create the log; without a stream it writes nothing."""
        self._stream = stream
        self._entries: list[AccessLogEntry] = []

    @classmethod
    def for_level(cls, level: str) -> WebhookAccessLog:
        """Create the log for a log level: on stderr at `info` and `debug`, else disabled."""
        is_enabled = logging.getLevelNamesMapping()[level.upper()] <= logging.INFO
        return cls(sys.stderr.buffer if is_enabled else None)

    def write(self, entry: AccessLogEntry) -> None:
        """Queue an entry; do not change it afterwards."""
        if self._stream is None:
            return
        if not self._entries:
            asyncio.get_running_loop().call_soon(self._flush, self._stream)
        self._entries.append(entry)

    def _flush(self, stream: BinaryIO) -> None:
        entries, self._entries = self._entries, []
        stream.write(_encode_lines(entries))
        stream.flush()
