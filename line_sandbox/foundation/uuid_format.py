"""The text format of UUIDs: retry keys, request ids and advertising identifiers."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID of 32 hexadecimal digits with hyphens; `uuid.UUID` also accepts other formats."""
    return _UUID.match(text) is not None
