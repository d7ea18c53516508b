"""Record validation against the JSON schema that the tap declared."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from target_line.intake.singer_reader import InputError
from target_line.reasons import Reason, RejectedRecordError


class RecordValidator:
    """Validates records against the JSON schema (Draft 7) of their stream.

    It uses jsonschema-rs, which accepts and rejects the same records as jsonschema. With jsonschema, validation would
    take most of the time of a run.
    """

    def __init__(self, stream: str, schema: dict[str, Any]) -> None:
        """Compile the schema of a stream.

        Raises:
            InputError: The schema is invalid.
        """
        try:
            self._validator = jsonschema_rs.Draft7Validator(schema, validate_formats=False)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise InputError(f"stream {stream!r} declares an invalid schema: {str(error).splitlines()[0]}") from None

    def check(self, record: dict[str, Any]) -> None:
        """Validate a record.

        Raises:
            RejectedRecordError: The record is invalid; the detail names the first invalid property.
        """
        error = next(self._validator.iter_errors(record), None)
        if error is not None:
            path = ".".join(str(part) for part in error.instance_path)
            raise RejectedRecordError(Reason.INVALID_RECORD, f"{path}: {error.message}" if path else error.message)
