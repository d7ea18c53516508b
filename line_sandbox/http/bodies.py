"""Reads JSON bodies and validates them against LINE's schemas."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from line_core.ids import is_line_id
from line_core.messages import Contract, message_schemas
from line_sandbox.foundation.api_errors import InvalidRequest, UnsupportedMediaType
from line_sandbox.http.response import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_core.messages import Problem
    from line_sandbox.http.request import HttpRequest


def read_body(
    request: HttpRequest,
    schema: str,
    *,
    missing: str = "May not be empty",
    error: Callable[[dict[str, Any], Sequence[Problem]], InvalidRequest] | None = None,
) -> dict[str, Any]:
    """Return the JSON object in a request's body.

    Args:
        request: The request.
        schema: Reference into a subject's schema, such as `messages.json#/$defs/push` for `messages/schema.json`.
        missing: LINE's text for a required property that is missing.
        error: Returns the response to a body that violates the schema; default: one that lists all problems.

    Raises:
        InvalidRequest: The body is not a JSON object or violates the schema.
        UnsupportedMediaType: The content type is not JSON.
    """
    media_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise UnsupportedMediaType(media_type)
    body = request.json()
    if problems := contract(schema, missing).problems(body):
        raise error(body, problems) if error else InvalidRequest.with_details(*problems)
    return body


@cache
def contract(schema: str, missing: str = "May not be empty") -> Contract:
    """Return the validator for a schema; see `read_body` for the arguments."""
    schemas = (folder / "schema.json" for folder in files("line_sandbox").iterdir() if folder.is_dir())
    subject_schemas = [schema for schema in schemas if schema.is_file()]
    return Contract([*message_schemas(), *subject_schemas], f"line:///sandbox/{schema}", missing=missing)


def check_line_ids(line_ids: Sequence[str], name: str, *, quote: str = "") -> None:
    """Check that every item of the property `name` is a LINE ID.

    Args:
        line_ids: The items.
        name: The property.
        quote: Quotation mark around the property in LINE's text, which differs between endpoints.

    Raises:
        InvalidRequest: An item is not a LINE ID.
    """
    for index, line_id in enumerate(line_ids):
        if not is_line_id(line_id):
            raise InvalidRequest.for_property(f"{quote}{name}[{index}]{quote}")
