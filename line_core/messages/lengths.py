"""How LINE counts characters.

Source: LINE documentation, "Character counting in a text".
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]  # ships no types

_GRAPHEME = regex.compile(r"\X")
_LAST_OF_ONE_UNIT = 0xFFFF


def utf16_length(text: str) -> int:
    """UTF-16 code units: an emoji counts two, or more."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for character in text if ord(character) > _LAST_OF_ONE_UNIT)


def grapheme_length(text: str) -> int:
    """What a person calls characters: a family emoji counts one."""
    if text.isascii() and "\r\n" not in text:
        return len(text)
    return len(_GRAPHEME.findall(text))
