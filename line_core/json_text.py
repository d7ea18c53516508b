"""JSON as text: split objects and arrays into the texts of their members, without changing a character of a value.

All of JSON (RFC 8259) is accepted, including numbers of any length and escaped lone surrogates, and nothing else. The
work is done by `msgspec.Raw`. Because msgspec rejects lone surrogates, texts that contain them are split a second time
with placeholders.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_EXACT_DIGITS: Final = 18
_ESCAPE: Final = re.compile(r"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)

_Parts = TypeVar("_Parts")


def encode(value: object) -> str:
    """Return a value as compact JSON text. Lone surrogates are escaped, because UTF-8 cannot encode them."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a JSON text. Integers of more than 18 digits become floats.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: The text is nested too deeply.
    """
    return _DECODER.decode(text)


def storable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value whose texts every database can store: U+0000 and lone surrogates are replaced by U+FFFD."""
    if isinstance(value, str):
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def split_object(text: str) -> dict[str, str]:
    """Return the texts of an object's members by name. Of repeated names, the last one wins.

    Raises:
        ValueError: The text is not a JSON object.
        RecursionError: The text is nested too deeply.
    """
    members, placeholder = _split(text, _decode_object)
    if placeholder is None:
        return {name: str(raw, "utf-8") for name, raw in members.items()}
    return {
        placeholder.restore_characters(name): placeholder.restore_escapes(str(raw, "utf-8"))
        for name, raw in members.items()
    }


def join_object(members: dict[str, str]) -> str:
    """Return the text of an object from the texts of its members."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}"


def split_array(text: str) -> list[str]:
    """Return the texts of an array's elements.

    Raises:
        ValueError: The text is not a JSON array.
        RecursionError: The text is nested too deeply.
    """
    elements, placeholder = _split(text, _decode_array)
    if placeholder is None:
        return [str(raw, "utf-8") for raw in elements]
    return [placeholder.restore_escapes(str(raw, "utf-8")) for raw in elements]


class _Placeholder:
    """Replaces the escapes of surrogates with a random marker, which no text contains, and restores them."""

    def __init__(self) -> None:
        self._marker = secrets.token_hex(16)
        self._marked = re.compile(self._marker + "(....)")

    def replace_escapes(self, text: str) -> str:
        return _ESCAPE.sub(lambda match: self._marker + match[1] if match[1] else match[0], text)

    def restore_escapes(self, text: str) -> str:
        return self._marked.sub(r"\\u\1", text)

    def restore_characters(self, name: str) -> str:
        halves = self._marked.sub(lambda match: chr(int(match[1], 16)), name)
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _split(text: str, decode_parts: Callable[[str], _Parts]) -> tuple[_Parts, _Placeholder | None]:
    try:
        return decode_parts(text), None
    except msgspec.DecodeError:
        placeholder = _Placeholder()
        try:
            return decode_parts(placeholder.replace_escapes(text)), placeholder
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from None


def _number(digits: str) -> float:
    # Python refuses to convert very long numbers to int.
    return int(digits) if len(digits) <= _MAX_EXACT_DIGITS else float(digits)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_constant=_reject_constant)
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
