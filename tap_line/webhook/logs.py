"""Logs as JSON lines on stderr: no message contents, no secrets, and no ids of users."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

import msgspec

ACCESS: Final = logging.getLogger("tap_line.webhook.access")
"""One line for each request, with `fields`."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class JsonFormatter(logging.Formatter):
    """A log record as one JSON object; `extra={"fields": {…}}` are members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
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
