"""Reports bodies that are not JSON, with the line and column of the error.

If the error is inside a message object, LINE names the message instead of the body.

Sources: LINE Messaging API reference, "Error messages"; LINE's news of 2022-10-31, which has both texts.
"""

from __future__ import annotations

import re

from line_sandbox.foundation.api_errors import InvalidRequest

_OFFSET = re.compile(r"\(byte (\d+)\)\Z")
_TOKEN = re.compile(rb'"(?:\\.|[^"\\])*"|[\[\]{},]')
_MESSAGES_DEPTH = 2


def malformed_json(body: bytes, error: Exception) -> InvalidRequest:
    """Return the response to a body that msgspec cannot decode because of `error`."""
    offset = _offset(body, error)
    if offset is None:
        return InvalidRequest("The request body could not be parsed as JSON (line: -, column: -)")
    before = body[:offset]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    index = _message_index(before)
    what = "The request body could not be parsed as JSON"
    if index is not None:
        what = f"The property, 'messages[{index}]', in the request body is invalid"
    return InvalidRequest(f"{what} (line: {line}, column: {column})")


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


def _message_index(before: bytes) -> int | None:
    """Return the index of the message object that the text `before` an error ends in; None if it is in none."""
    depth, index, key = 0, None, b""
    for token in _TOKEN.findall(before):
        if token in (b"[", b"{"):
            depth += 1
            if depth == _MESSAGES_DEPTH and token == b"[" and key == b'"messages"':
                index = 0
        elif token in (b"]", b"}"):
            depth -= 1
            if depth < _MESSAGES_DEPTH:
                index = None
        elif token == b",":
            if depth == _MESSAGES_DEPTH and index is not None:
                index += 1
        elif depth == 1:
            key = token
    return index if depth > _MESSAGES_DEPTH else None
