"""Read Singer messages, and check records, as fast as a target can afford to."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

from line_core.errors import LineError

_decoder = msgspec.json.Decoder()


class InputError(LineError):
    """The input is not a stream of Singer messages."""


class LineReader(MsgSpecReader):
    """Reads messages with msgspec.

    The SDK's own reader makes every number with a point a Decimal, which no JSON column takes, and quotes a malformed
    line in the log, where it may show a customer's data.
    """

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Read one line.

        Raises:
            InputError: It is not JSON.
        """
        try:
            message: dict[str, Any] = _decoder.decode(line)
        except msgspec.DecodeError:
            message = self._deserialize_what_only_python_takes(line)
        return message

    def _deserialize_what_only_python_takes(self, line: str) -> dict[str, Any]:
        """NaN, numbers beyond a float and half surrogate pairs: some taps write them, and one is no reason to stop."""
        try:
            message: dict[str, Any] = json.loads(line, parse_constant=str, parse_float=_number_or_text)
        except ValueError as error:
            reason = getattr(error, "msg", "not text")
            raise InputError(f"the input has a line of {len(line)} characters that is not JSON: {reason}") from None
        return message


def _number_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
