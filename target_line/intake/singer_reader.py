"""Reading of Singer messages from the input."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

from line_core.errors import LineError

_decoder = msgspec.json.Decoder()


class InputError(LineError):
    """The input is not a valid stream of Singer messages."""


class LineReader(MsgSpecReader):
    """Decodes messages with msgspec.

    The SDK's reader decodes every number with a decimal point as Decimal, which a JSON column cannot store. It also
    writes a malformed line to the log, where the data of a customer may not appear.
    """

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Decode one line.

        Raises:
            InputError: The line is not JSON.
        """
        try:
            message: dict[str, Any] = _decoder.decode(line)
        except msgspec.DecodeError:
            message = self._deserialize_tolerantly(line)
        return message

    def _deserialize_tolerantly(self, line: str) -> dict[str, Any]:
        """Decode a line with NaN, lone surrogates or numbers beyond the range of float. Some taps write them."""
        try:
            message: dict[str, Any] = json.loads(line, parse_constant=str, parse_float=_number_or_text)
        except ValueError as error:
            reason = getattr(error, "msg", "not text")
            raise InputError(
                f"the input contains a line of {len(line)} characters that is not JSON: {reason}"
            ) from None
        return message


def _number_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
