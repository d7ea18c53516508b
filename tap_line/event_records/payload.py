"""Parse the JSON text of a webhook event into values that every target can store."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from line_core.json_text import storable

_decoder = msgspec.json.Decoder(dict[str, Any])


def read_payload(text: str) -> dict[str, Any]:
    """Parse an event.

    Some valid JSON cannot be encoded as UTF-8 or read by msgspec. It is read with Python's parser: an unpaired
    surrogate becomes U+FFFD, and an integer of thousands of digits becomes a float.
    """
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        payload: dict[str, Any] = storable(json.loads(text, parse_int=_parse_int))
        return payload


def _parse_int(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:  # Python limits the number of digits of an int
        return float(digits)
