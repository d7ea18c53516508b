"""Formats of LINE's identifiers.

Source: LINE Messaging API, "User ID", "Group ID", "Room ID": one letter and 32 lower-case hexadecimal digits. In a
module channel, a user ID has 68 characters: `LU…-U…` (LINE documentation, "User ID used in a module channel").
"""

from __future__ import annotations

import re

LINE_ID_PATTERN = r"^(?:U[0-9a-f]{32}|LU[0-9a-f]{32}-U[0-9a-f]{32})$"

_LINE_ID = re.compile(LINE_ID_PATTERN.rstrip("$") + r"\Z")
_CHAT_ID = re.compile(r"[CR][0-9a-f]{32}\Z")
_ANY_ID = re.compile(r"(?:LU[0-9a-f]{32}-U|[UCR])[0-9a-f]{32}")


def without_line_ids(text: str) -> str:
    """Return a text for a log line, without ids of users, groups and rooms, which LINE's error texts can contain."""
    return _ANY_ID.sub("(an id)", text)


def is_line_id(value: object) -> bool:
    """Return whether a value is the LINE ID of a user (`U…`, or `LU…-U…` in a module channel)."""
    return isinstance(value, str) and _LINE_ID.match(value) is not None


def is_chat_id(value: object) -> bool:
    """Return whether a value is the id of a group (`C…`) or room (`R…`)."""
    return isinstance(value, str) and _CHAT_ID.match(value) is not None
