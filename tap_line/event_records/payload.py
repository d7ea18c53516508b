"""Read an event's JSON text into values that every target can be given."""

from __future__ import annotations

import json
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(dict[str, Any])


def read_payload(text: str) -> dict[str, Any]:
    """The event as an object.

    Text that JSON allows and UTF-8 or msgspec do not is read all the same: half a surrogate pair becomes U+FFFD, and a
    number beyond all bounds a float.
    """
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        payload: dict[str, Any] = _storable(json.loads(text, parse_int=_number))
        return payload


def _number(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:  # Python reads no numbers of thousands of digits
        return float(digits)


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case list():
            return [_storable(item) for item in value]
        case _:
            return value
