"""Reads bodies and parameters of the control API. Errors get status 400 and a message that names the invalid part."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest

T = TypeVar("T")


def read_struct(request: HttpRequest, struct: type[T]) -> T:
    """Return the JSON body as a struct; an empty body counts as `{}`.

    Raises:
        InvalidRequest: The body does not fit the struct.
    """
    try:
        return msgspec.json.decode(request.body or b"{}", type=struct)
    except msgspec.DecodeError as error:
        raise InvalidRequest(str(error)) from None


def offset_and_limit(request: HttpRequest, default_limit: int) -> tuple[int, int]:
    """Return the query parameters `offset` and `limit`.

    Raises:
        InvalidRequest: One is not an integer or is negative.
    """
    offset, limit = request.query_integer("offset", 0), request.query_integer("limit", default_limit)
    if offset < 0 or limit < 0:
        raise InvalidRequest("offset and limit must be 0 or more")
    return offset, limit
