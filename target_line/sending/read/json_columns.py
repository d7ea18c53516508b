"""Columns of objects or lists. Some taps deliver them as JSON text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_DEPTH = 100
"""Levels of objects and lists in a column."""


def finite_number(text: str) -> float:
    """Return the number of a text.

    Raises:
        ValueError: The number is beyond the range of float.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def decode_json_column(
    value: object,
    column: str,
    reason: Reason = Reason.INVALID_MESSAGE,
    parse_number: Callable[[str], float] = finite_number,
) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a column that is a JSON value or its text; None if it is empty.

    Args:
        value: The column. A text is decoded as JSON.
        column: Name of the column, for error texts.
        reason: Reason of the error.
        parse_number: Returns a number with a decimal point by its text.

    Raises:
        RejectedRecordError: The text is not JSON, or the value has too many levels.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        value = _decode(value, column, reason, parse_number)
    if _has_too_many_levels(value):
        raise RejectedRecordError(reason, f"{column}: more than {MAX_DEPTH} levels of objects and lists")
    return value


def _decode(text: str, column: str, reason: Reason, parse_number: Callable[[str], float]) -> object:
    try:
        return json.loads(text, parse_float=parse_number, parse_constant=_reject_constant)
    except ValueError:
        raise RejectedRecordError(reason, f"{column}: not JSON text") from None
    except RecursionError:
        raise RejectedRecordError(reason, f"{column}: more than {MAX_DEPTH} levels of objects and lists") from None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _has_too_many_levels(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for container in level for item in _items(container)]
        if not level:
            return False
    return True


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
