"""Checks of JSON values before they are stored."""

from __future__ import annotations

import json
import re
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

MAX_DEPTH = 100
"""Levels of objects and lists in a value. Encoders of JSON end with an error at about 1,000."""

_encoder = msgspec.json.Encoder()

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def problem_of(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Return why a value cannot be stored or sent, None if it can.

    It cannot if a text contains half a character (a lone surrogate, which no encoding can represent), or if it is
    nested more deeply than `MAX_DEPTH`.
    """
    try:
        text = _encoder.encode(value)
        if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:  # a value has at most as many levels as brackets
            return None
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass  # find the reason below
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                if not item.isascii() and _HALF_CHARACTER.search(item):
                    return "contains half a character (a lone surrogate)"
            elif kind is dict:
                below.append("".join(item))
                below += item.values()
            elif kind is list:
                below += item
        if not below:
            return None
        level = below
    return f"is nested more than {MAX_DEPTH} levels deep"


def as_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object of Python as JSON has it: dates, times, decimals, UUIDs and bytes are texts, and so is NaN.

    Raises:
        TypeError, ValueError: A value has no equivalent in JSON.
    """
    result: dict[str, Any] = json.loads(json.dumps(value, default=_text), parse_constant=str)
    return result


def _text(value: object) -> str:
    if isinstance(value, date | time | Decimal | UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")
