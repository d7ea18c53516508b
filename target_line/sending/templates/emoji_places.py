"""LINE emoji in texts that are templates: their indexes move with the values before them.

An index counts the UTF-16 code units before a `$`. In a template it names a `$` of the template. While the template is
rendered, noncharacters of Unicode, which no text contains, stand in the places of these `$`.

Source: LINE Messaging API reference, "Text message", `emojis`.
"""

from __future__ import annotations

import re
from typing import Any

from line_core.messages.lengths import utf16_length

_FIRST_MARK = 0xFDD0
EMOJI_MARKS = re.compile("[\ufdd0-\ufde3]")
MAX_EMOJI = 20
"""Emoji of a text, by LINE's rules."""


def mark_places(text: str, emojis: list[Any]) -> str | None:
    """Return the template with a mark in place of each emoji's `$`.

    None if an index does not name a `$` of it, or the template has marks already.
    """
    if EMOJI_MARKS.search(text):
        return None
    characters = list(text)
    offsets = {}
    position = 0
    for number, character in enumerate(characters):
        offsets[position] = number
        position += utf16_length(character)
    for number, emoji in enumerate(emojis):
        index = emoji.get("index") if isinstance(emoji, dict) else None
        offset = offsets.get(index) if isinstance(index, int) else None
        if number >= MAX_EMOJI or offset is None or characters[offset] != "$":
            return None
        characters[offset] = chr(_FIRST_MARK + number)
    return "".join(characters)


def resolve_places(rendered: str, emojis: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Return the text with `$` in place of the marks, and an emoji with its index for each of them.

    Args:
        rendered: The rendered template. A place that a condition leaves out has no mark, and one in a loop has several.
        emojis: The emoji whose places were marked.
    """
    found = []
    position = 0
    for character in rendered:
        number = ord(character) - _FIRST_MARK
        if 0 <= number < len(emojis):
            found.append({**emojis[number], "index": position})
        position += utf16_length(character)
    text = rendered.translate({_FIRST_MARK + number: "$" for number in range(len(emojis))})
    return text, found
