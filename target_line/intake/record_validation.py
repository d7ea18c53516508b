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
        self._validator = _compile(usable_schema(stream, schema))

    def check(self, record: dict[str, Any]) -> None:
        """Validate a record.

        Raises:
            RejectedRecordError: The record is invalid; the detail names the first invalid property.
        """
        error = next(self._validator.iter_errors(record), None)
        if error is not None:
            path = ".".join(str(part) for part in error.instance_path)
            raise RejectedRecordError(Reason.INVALID_RECORD, f"{path}: {error.message}" if path else error.message)


def usable_schema(stream: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without the parts that cannot be checked, in which the schema of each property is an object.

    Properties that cannot be checked are named in one warning.

    Args:
        stream: Name of the stream.
        schema: The schema, with `properties`.
    """
    properties: dict[str, Any] = {name: _as_object(declared) for name, declared in schema["properties"].items()}
    usable = {**schema, "properties": properties}
    if _is_valid(usable):
        return usable
    definitions: dict[str, Any] = {name: schema[name] for name in ("$schema", "definitions", "$defs") if name in schema}
    unchecked = [name for name in properties if not _is_valid({**definitions, "properties": {name: properties[name]}})]
    _logger.warning(
        "Stream %r: the schemas of these properties are not valid or refer to other documents, so their values "
        "are not checked: %s",
        stream,
        ", ".join(unchecked) or "(the schema as a whole)",
    )
    usable = {**definitions, "properties": {**properties, **{name: {} for name in unchecked}}}
    # A definition may be invalid.
    return usable if _is_valid(usable) else {"properties": {name: {} for name in properties}}


def _as_object(schema: object) -> object:
    """Return the schema of a property; one that is true or false, as an object that means the same."""
    return ({} if schema else {"not": {}}) if isinstance(schema, bool) else schema


def _is_valid(schema: dict[str, Any]) -> bool:
    try:
        _compile(schema)
    except _INVALID_SCHEMA:
        return False
    return True


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    draft = jsonschema_rs.Draft4Validator if "draft-04" in str(schema.get("$schema")) else jsonschema_rs.Draft7Validator
    validator: jsonschema_rs.Validator = draft(schema, validate_formats=False, retriever=_retrieve_nothing)
    return validator


def _retrieve_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is outside the schema")
