"""Read Singer messages, and check records, as fast as a target can afford to."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema_rs
import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

from line_core.errors import LineError
from target_line.reasons import Reason, RejectedRecordError

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


class RecordValidator:
    """Checks records against the schema that their tap declared, with the verdicts of jsonschema's Draft 7."""

    def __init__(self, stream: str, schema: dict[str, Any]) -> None:
        """Compile the schema.

        Raises:
            InputError: It is not a JSON schema.
        """
        try:
            self._validator = jsonschema_rs.Draft7Validator(schema, validate_formats=False)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise InputError(f"stream {stream!r} declares an invalid schema: {str(error).splitlines()[0]}") from None

    def check(self, record: dict[str, Any]) -> None:
        """Do nothing, unless the record does not fit.

        Raises:
            RejectedRecordError: It does not; the detail names the first property that is wrong.
        """
        error = next(self._validator.iter_errors(record), None)
        if error is not None:
            path = ".".join(str(part) for part in error.instance_path)
            raise RejectedRecordError(Reason.INVALID_RECORD, f"{path}: {error.message}" if path else error.message)
