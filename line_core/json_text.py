"""JSON taken apart as text, so that what is kept is what came: no number rounded, no escape rewritten.

Reads all of JSON (RFC 8259), including numbers of any length and escaped halves of surrogate pairs; nothing more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE: Final = " \t\n\r"
_MOST_EXACT_DIGITS = 18


def write(value: object) -> str:
    """A JSON text, as short as can be; what no encoding can carry (half of a surrogate pair) stays an escape."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))


def read(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Read a JSON text; integers of more than 18 digits come as floats.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: It is nested too deeply to be read.
    """
    return _DECODER.decode(text)


def split_object(text: str) -> dict[str, str]:
    """Take an object apart into the texts of its members, by name; the last of equal names wins.

    Raises:
        ValueError: The text is not a JSON object.
        RecursionError: It is nested too deeply to be read.
    """
    cursor = _Cursor(text)
    members = {}
    for _ in cursor.items("{", "}"):
        name = read(cursor.value())
        if not isinstance(name, str):
            raise ValueError("a member without a name")  # noqa: TRY004 - one kind of error for all that is not JSON
        cursor.expect(":")
        members[name] = cursor.value()
    cursor.expect_end()
    return members


def join_object(members: dict[str, str]) -> str:
    """Put an object together from the texts of its members."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}"


def split_array(text: str) -> list[str]:
    """Take an array apart into the texts of its elements.

    Raises:
        ValueError: The text is not a JSON array.
        RecursionError: It is nested too deeply to be read.
    """
    cursor = _Cursor(text)
    elements = [cursor.value() for _ in cursor.items("[", "]")]
    cursor.expect_end()
    return elements


class _Cursor:
    """A place in a JSON text; knows where each value begins and ends, which the json module alone does not tell."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip_space()

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member of an object or array in turn; the caller takes it."""
        self.expect(opening)
        if self._takes(closing):
            return
        yield
        while not self._takes(closing):
            self.expect(",")
            yield

    def value(self) -> str:
        """Take a value; its text."""
        begin = self._at
        _, self._at = _DECODER.raw_decode(self._text, begin)
        text = self._text[begin : self._at]
        self._skip_space()
        return text

    def expect(self, token: str) -> None:
        """Take a token that must stand here."""
        if not self._takes(token):
            raise ValueError(f"expecting {token!r} at character {self._at}")

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._text):
            raise ValueError(f"expecting the end at character {self._at}")

    def _takes(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += 1
        self._skip_space()
        return True

    def _skip_space(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1


def _number(digits: str) -> float:
    # Python refuses to make an int of thousands of digits.
    return int(digits) if len(digits) <= _MOST_EXACT_DIGITS else float(digits)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_constant=_no_number)
