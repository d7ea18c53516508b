"""Escaping of values that a template puts into a text with a syntax of its own.

Sources: LINE Messaging API reference, "Text message (v2)": `{{` and `}}` are literal braces; RFC 3986, sections 2, 3.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from target_line.sending.templates.emoji_places import EMOJI_MARKS

Escape = Callable[[str, str | None], str]
"""Returns the escaped value. The second argument is the text before it; None if only a part of it is known."""

_URI_NAMES = frozenset(
    {
        *("uri", "linkUri", "desktop", "url", "baseUrl", "imageUrl", "iconUrl", "previewUrl"),
        *("originalContentUrl", "previewImageUrl", "thumbnailImageUrl"),
    }
)
_PATH_CHARACTERS = "/!$&'()*+,;=:@"
"""Characters with a meaning in a query only, besides the unreserved ones."""


def escape_for(message_type: object, name: str) -> Escape:
    """Return how values are escaped in a property.

    Args:
        message_type: The `type` of the object that has the property.
        name: Name of the property.
    """
    if name == "text" and message_type == "textV2":
        return escape_braces
    return escape_in_uri if name in _URI_NAMES else unescaped


def unescaped(value: str, _before: str | None) -> str:
    """Return the value: the property is plain text."""
    return value


def escape_braces(value: str, _before: str | None) -> str:
    """Return a value for a text message (v2), where `{name}` is a mention or an emoji."""
    return value.replace("{", "{{").replace("}", "}}")


def escape_in_uri(value: str, before: str | None) -> str:
    """Return a value for a URI, percent-encoded. A value at the beginning is the URI itself and is not encoded."""
    if before == "":
        return value
    in_path = before is not None and "?" not in before and "#" not in before
    return quote(value, safe=_PATH_CHARACTERS if in_path else "")


def without_emoji_marks(value: str, _before: str | None) -> str:
    """Return a value without the characters that mark the places of emoji."""
    return EMOJI_MARKS.sub("", value)
