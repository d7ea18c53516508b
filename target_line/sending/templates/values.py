"""Values in templates: their text in a message, their number in a calculation, and the values that have neither.

Null, objects and lists are never printed, and numbers have no exponent. python-liquid prints them as Python does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from datetime import date, datetime
from decimal import Decimal
from typing import Self, TypeVar

from liquid.exceptions import LiquidError
from liquid.undefined import Undefined

MAX_TEXT_LENGTH = 20_000
"""Characters of a text in a template, also of an intermediate result. LINE's longest text has 5,000."""
MAX_ITEMS = 2_000
"""Items of a list that a filter reads or returns."""
MAX_NUMBER = 10**30
_MAX_EXACT_FLOAT = 2**53
_MAX_FLOAT_DIGITS = 15  # a float keeps that many decimal digits
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_MAX_NUMBER_LENGTH = 60
_Value = TypeVar("_Value")


class TemplateValueError(LiquidError):
    """A value cannot be used where the template uses it, or exceeds a limit."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class SafeText(str):
    """Text that is not escaped: the template has escaped it."""

    __slots__ = ()


class WrittenNumber(float):
    """A number with the text by which it was written, such as 19.90."""

    def __new__(cls, text: str) -> Self:
        """Parse the text of a JSON number."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def text_of(value: object) -> str:
    """Return the text of a value.

    Raises:
        TemplateValueError: The value has no text: it is null, an object or a list.
        UndefinedError: The value is undefined.
    """
    if isinstance(value, str):
        if not value.isascii() and LONE_SURROGATE.search(value):
            raise TemplateValueError("half of a surrogate pair, which is not a character")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _text_of_number(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %z").rstrip()
    if isinstance(value, date):
        return value.isoformat()
    raise TemplateValueError(f"{describe(value)} cannot be printed")


def is_blank(value: object) -> bool:
    """Return whether a value is a text without a visible character."""
    return isinstance(value, str) and not value.strip()


def number_of(value: object) -> int | float:
    """Return the number of a number or of its text.

    Raises:
        TemplateValueError: The value is not a number.
        UndefinedError: The value is undefined.
    """
    if isinstance(value, str) and len(value) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(value):
        try:
            return checked(int(value))
        except ValueError:
            return checked(float(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return checked(value)
    raise TemplateValueError(f"{describe(value)} is not a number")


def checked(value: _Value) -> _Value:
    """Return a value that is within the limits.

    Raises:
        TemplateValueError: A text is too long, a list has too many items, or a number is too large.
    """
    if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
        raise TemplateValueError(f"a text of more than {MAX_TEXT_LENGTH:,} characters")
    if isinstance(value, list | tuple | range) and len(value) > MAX_ITEMS:
        raise TemplateValueError(f"a list of more than {MAX_ITEMS:,} items")
    if isinstance(value, int | float) and not -MAX_NUMBER < value < MAX_NUMBER:  # true for NaN too
        raise TemplateValueError("a number of more than 30 digits")
    return value


def describe(value: object) -> str:
    """Return what a value is, in terms of JSON.

    Raises:
        UndefinedError: The value is undefined.
    """
    if isinstance(value, Undefined):
        str(value)  # raises the error with the name
    if value is None:
        return "null"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, Sized) else "a value that is not text"


def _text_of_number(value: float) -> str:
    if isinstance(value, int):
        return str(checked(value))
    checked(value)
    number = Decimal(value.text if isinstance(value, WrittenNumber) else repr(value or 0.0))
    # A JSON reader rounds an integer beyond 64 bits to a float: its last digits are wrong.
    if abs(value) > _MAX_EXACT_FLOAT and len(number.as_tuple().digits) > _MAX_FLOAT_DIGITS:
        raise TemplateValueError("a number with too many digits for a JSON number; pass it as text")
    text = format(number, "f")
    if len(text) > _MAX_NUMBER_LENGTH:
        raise TemplateValueError("a number of more than 30 digits")
    return text
