"""Reads query parameters."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import LINE_TIME_ZONE

if TYPE_CHECKING:
    from line_sandbox.server.http import Request

_DATE = re.compile(r"[0-9]{8}\Z")


def read_date(text: str | None) -> date | None:
    """A date as LINE writes it, `yyyyMMdd`; None if it is none."""
    if text is None or not _DATE.match(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=LINE_TIME_ZONE).date()
    except ValueError:
        return None


def date_parameter(request: Request, name: str) -> date:
    """A parameter that is a date.

    Raises:
        InvalidRequest: It is none, or is not there.
    """
    day = read_date(request.parameter(name))
    if day is None:
        raise InvalidRequest.parameter(name)
    return day


def flag_parameter(request: Request, name: str, *, default: bool) -> bool:
    """A parameter that is true or false, in whatever case."""
    text = request.parameter(name)
    return default if text is None else text.lower() == "true"


def count_parameter(request: Request, name: str, default: int, *, most: int) -> int:
    """A parameter that says how many are wanted.

    Raises:
        InvalidRequest: It is no number from 1 to the most.
    """
    count = request.integer(name, default)
    if not 1 <= count <= most:
        raise InvalidRequest.parameter(name)
    return count
