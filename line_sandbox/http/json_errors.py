"""Reports bodies that are not JSON, with the line and column of the error.

Source: LINE Messaging API reference, "Error messages".
"""

from __future__ import annotations

import re

from line_sandbox.foundation.api_errors import InvalidRequest

_OFFSET = re.compile(r"\(byte (\d+)\)\Z")


def malformed_json(body: bytes, error: Exception) -> InvalidRequest:
    """Return the response to a body that msgspec cannot decode because of `error`."""
    line = column = "-"
    offset = _offset(body, error)
    if offset is not None:
        before = body[:offset]
        line = str(before.count(b"\n") + 1)
        column = str(len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1)
    return InvalidRequest(f"The request body could not be parsed as JSON (line: {line}, column: {column})")


def _offset(body: bytes, error: Exception) -> int | None:
    """Return the offset of the error in bytes; None if it is not known."""
    if isinstance(error, RecursionError):
        return None
    if match := _OFFSET.search(str(error)):
        return int(match[1])
    try:
        body.decode()
    except UnicodeDecodeError as invalid:
        return invalid.start
    return len(body)  # the text ends too early
