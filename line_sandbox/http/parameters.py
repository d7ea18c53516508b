"""Reads path and query parameters that several endpoints share."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import LINE_TIME_ZONE

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest

_DATE = re.compile(r"[0-9]{8}\Z")


def line_id_parameter(request: HttpRequest) -> str:
    """Return the path parameter `userId`.

    Raises:
        InvalidRequest: The value is not a LINE ID.
    """
    line_id = request.path_parameters["userId"]
    if not is_line_id(line_id):
        raise InvalidRequest.for_parameter("userId")
    return line_id


def read_date(text: str | None) -> date | None:
    """Parse a date in LINE's format `yyyyMMdd`; return None if the text is missing or not a date."""
    if text is None or not _DATE.match(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=LINE_TIME_ZONE).date()
    except ValueError:
        return None


def date_parameter(request: HttpRequest, name: str) -> date:
    """Return a required query parameter as a date.

    Raises:
        InvalidRequest: The parameter is missing or not a date.
    """
    day = read_date(request.query_parameter(name))
    if day is None:
        raise InvalidRequest.for_parameter(name)
    return day


def flag_parameter(request: HttpRequest, name: str, *, default: bool) -> bool:
    """Return whether a query parameter is `true`, ignoring case."""
    text = request.query_parameter(name)
    return default if text is None else text.lower() == "true"


def count_parameter(request: HttpRequest, name: str, default: int, *, maximum: int) -> int:
    """Return a query parameter as an integer from 1 to `maximum`.

    Raises:
        InvalidRequest: The value is not such an integer.
    """
    count = request.query_integer(name, default)
    if not 1 <= count <= maximum:
        raise InvalidRequest.for_parameter(name)
    return count
