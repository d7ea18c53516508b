"""Reads the bodies of requests and checks them against LINE's contract."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from line_core.ids import is_line_id
from line_core.messages import Contract, message_schemas
from line_sandbox.foundation.api_errors import InvalidRequest, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.server.http import Request

_JSON = "application/json"


def read_body(request: Request, shape: str, *, missing: str = "May not be empty") -> dict[str, Any]:
    """The object in a request's body.

    Args:
        request: The request.
        shape: What it must be like: a reference into our schemas, such as `sending.json#/$defs/push`.
        missing: LINE's words for a property that is required and not there.

    Raises:
        InvalidRequest: It is like something else.
        UnsupportedMediaType: It is no JSON.
    """
    media_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != _JSON:
        raise UnsupportedMediaType(media_type)
    body = request.json()
    if problems := contract(shape, missing).problems(body):
        raise InvalidRequest.because(*problems)
    return body


@cache
def contract(shape: str, missing: str = "May not be empty") -> Contract:
    """What a body must be like."""
    ours = (files("line_sandbox") / "schemas").iterdir()
    return Contract([*message_schemas(), *ours], f"line:///{shape}", missing=missing)


def check_line_ids(line_ids: Sequence[str], name: str) -> None:
    """Let a list of LINE IDs pass.

    Raises:
        InvalidRequest: One is written otherwise.
    """
    for place, line_id in enumerate(line_ids):
        if not is_line_id(line_id):
            raise InvalidRequest.property(f"{name}[{place}]")
