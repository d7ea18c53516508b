"""Conversion of the values of settings to the types that the settings declare."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def convert_values(config: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Convert values in place where the declared type allows only the converted value, and remove null values.

    Environment variables and `meltano config set` give text for numbers, booleans, lists and objects, and the SDK reads
    a number with a decimal point in a file as `Decimal`. A text that is no such value is kept, so that validation
    reports it. A number that is not finite becomes text for the same reason. Null means that a setting is not set.
    """
    for name, declared in schema.get("properties", {}).items():
        if name not in config:
            continue
        value, types = config[name], _types(declared)
        if value is None:
            del config[name]
            continue
        if isinstance(value, Decimal):
            config[name] = value = float(value)
        if isinstance(value, float) and not math.isfinite(value):
            config[name] = str(value)
            continue
        if isinstance(value, dict) and "properties" in declared:
            converted = dict(value)
            convert_values(converted, declared)
            config[name] = converted
        elif isinstance(value, str) and "string" not in types:
            config[name] = _converted_text(value, types)
        elif isinstance(value, float) and value.is_integer() and "integer" in types:
            config[name] = int(value)


def _types(declared: Mapping[str, Any]) -> Collection[str]:
    types = declared.get("type", ())
    return (types,) if isinstance(types, str) else types


def _converted_text(text: str, types: Collection[str]) -> object:
    if "boolean" in types:
        return _BOOLEANS.get(text.strip().casefold(), text)
    for name, convert in (("integer", int), ("number", _finite), ("array", json.loads), ("object", json.loads)):
        if name in types:
            try:
                return convert(text)
            except (ValueError, RecursionError):
                continue
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
