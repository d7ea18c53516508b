"""Logs as JSON lines on stderr: no message contents, no secrets, and no ids of users."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from typing import BinaryIO

_encode = msgspec.json.Encoder().encode


class AccessLine(msgspec.Struct, kw_only=True, gc=False):
    """What is logged of a request; what is unset is not there."""

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


class AccessLog:
    """Writes a line for each request, the lines of one turn of the event loop together."""

    def __init__(self, stream: BinaryIO | None) -> None:
        """Set up.

        Args:
            stream: Where to; none for no access log.
        """
        self._stream = stream
        self._lines: list[bytes] = []

    def write(self, line: AccessLine) -> None:
        """Log a request."""
        if self._stream is None:
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush, self._stream)
        self._lines.append(_encode(line))

    def _flush(self, stream: BinaryIO) -> None:
        lines, self._lines = self._lines, []
        stream.write(b"\n".join(lines) + b"\n")
        stream.flush()


class JsonFormatter(logging.Formatter):
    """A log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()


def configure(level: str) -> None:
    """Send all logs of this process to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Alembic tells at info level what it always does.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def access_log(level: str) -> AccessLog:
    """The access log at a level: on stderr at `info` and `debug`, none above."""
    is_on = logging.getLevelNamesMapping()[level.upper()] <= logging.INFO
    return AccessLog(sys.stderr.buffer if is_on else None)
