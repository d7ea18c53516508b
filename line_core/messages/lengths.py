"""Text lengths as LINE counts them.

Source: LINE documentation, "Character counting in a text".
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]  # has no types

_GRAPHEME = regex.compile(r"\X")
_MAX_ONE_UNIT = 0xFFFF  # last code point that UTF-16 encodes in one code unit


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units. An emoji has at least two."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for character in text if ord(character) > _MAX_ONE_UNIT)


def grapheme_length(text: str) -> int:
    """Return the number of grapheme clusters (user-perceived characters). A family emoji is one."""
    if text.isascii() and "\r\n" not in text:
        return len(text)
    return len(_GRAPHEME.findall(text))
