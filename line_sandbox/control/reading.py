"""Reads what the control API is asked for; whatever is wrong is answered with 400 and a word that says where."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest

T = TypeVar("T")


def read(request: HttpRequest, shape: type[T]) -> T:
    """The body as a struct.

    Raises:
        InvalidRequest: The body is something else.
    """
    try:
        return msgspec.json.decode(request.body or b"{}", type=shape)
    except msgspec.DecodeError as error:
        raise InvalidRequest(str(error)) from None


def offset_and_limit(request: HttpRequest, default_limit: int) -> tuple[int, int]:
    """The part of a list that is asked for.

    Raises:
        InvalidRequest: It is no part of a list.
    """
    offset, limit = request.query_integer("offset", 0), request.query_integer("limit", default_limit)
    if offset < 0 or limit < 0:
        raise InvalidRequest("offset and limit must be 0 or more")
    return offset, limit
