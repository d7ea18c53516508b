"""Record validation against the JSON schema that the tap declared."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

import jsonschema_rs

from target_line.reasons import Reason, RejectedRecordError

_logger = logging.getLogger("target-line")
_INVALID_SCHEMA = (ValueError, TypeError, RecursionError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError)


class RecordValidator:
    """Validates records against the JSON schema of their stream, of the draft that `$schema` names, else Draft 7.

    The schema is data of the tap: a `$ref` outside it is never fetched. A property whose schema is not valid, or refers
    to another document, is not checked.

    It uses jsonschema-rs, which accepts and rejects the same records as jsonschema. With jsonschema, validation would
    take most of the time of a run.
    """

    def __init__(self, stream: str, schema: dict[str, Any]) -> None:
        """Compile the schema of a stream. Properties that cannot be checked are named in one warning."""
        try:
            self._validator = _compile(schema)
        except _INVALID_SCHEMA:
            self._validator, unchecked = _compile_properties(schema)
            _logger.warning(
                "Stream %r: the schemas of these properties are not valid or refer to other documents, so their values "
                "are not checked: %s",
                stream,
                ", ".join(unchecked) or "(the schema as a whole)",
            )

    def check(self, record: dict[str, Any]) -> None:
        """Validate a record.

        Raises:
            RejectedRecordError: The record is invalid; the detail names the first invalid property.
        """
        error = next(self._validator.iter_errors(record), None)
        if error is not None:
            path = ".".join(str(part) for part in error.instance_path)
            raise RejectedRecordError(Reason.INVALID_RECORD, f"{path}: {error.message}" if path else error.message)


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    draft = jsonschema_rs.Draft4Validator if "draft-04" in str(schema.get("$schema")) else jsonschema_rs.Draft7Validator
    validator: jsonschema_rs.Validator = draft(schema, validate_formats=False, retriever=_retrieve_nothing)
    return validator


def _compile_properties(schema: dict[str, Any]) -> tuple[jsonschema_rs.Validator, list[str]]:
    """Return a validator of the properties that have a valid schema, and the names of the others."""
    definitions: dict[str, Any] = {name: schema[name] for name in ("$schema", "definitions", "$defs") if name in schema}
    checked: dict[str, Any] = {}
    unchecked = []
    for name, property_schema in schema["properties"].items():
        try:
            _compile({**definitions, "properties": {name: property_schema}})
        except _INVALID_SCHEMA:
            unchecked.append(name)
        else:
            checked[name] = property_schema
    try:
        return _compile({**definitions, "properties": checked}), unchecked
    except _INVALID_SCHEMA:  # a definition is not valid
        return _compile({}), unchecked


def _retrieve_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is outside the schema")
