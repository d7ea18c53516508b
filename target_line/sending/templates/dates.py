"""Dates and times in templates. They are printed in a given time zone, never in the time zone of the machine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

from dateutil import parser  # type: ignore[import-untyped]  # has no types

from target_line.sending.templates.values import TemplateValueError, describe

_DIRECTIVE = re.compile(r"%[-_0^#]?[0-9]{0,2}([A-Za-z%+])", re.ASCII)
_DIRECTIVES = frozenset("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%")
_DAY_AND_MONTH = re.compile(r"(?<![0-9])([0-9]{1,2})[/.-]([0-9]{1,2})[/.-](?:[0-9]{4}|[0-9]{2})(?![0-9])", re.ASCII)
_MONTHS = 12
_EPOCH_DIGITS = re.compile(r"[0-9]{9,14}", re.ASCII)
_DAY_DIGITS = re.compile(r"[0-9]{8}", re.ASCII)
_MIN_MILLISECONDS = 10**11  # as seconds, the year 5138; as milliseconds, 1973
_MAX_MILLISECONDS = 10**14
_MAX_DATE_LENGTH = 100
_UTC_NAMES = frozenset({"utc", "gmt", "z"})
_MAX_OFFSET = timedelta(hours=24)


def format_date(value: object, date_format: str, now: datetime) -> str:
    """Return a date as text.

    A time with a zone or an offset, and a number of seconds or milliseconds since 1970, are converted to the time zone.
    Other times and dates are printed as they are written.

    Args:
        value: Text, a number, or a date. `now` and `today` are the current time.
        date_format: Format of `strftime`. `%s` is the number of seconds since 1970.
        now: The current time in the time zone of the output.

    Raises:
        TemplateValueError: The value is not a date, or the date cannot be printed.
    """
    moment = _read(value, now)

    def directive(match: re.Match[str]) -> str:
        if match[1] not in _DIRECTIVES:  # strftime would print it as it is
            raise TemplateValueError(f"date: {match[0]} is not a directive of strftime")
        if match[1] == "s":  # strftime would use the time zone of the machine
            return str(int((moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).timestamp()))
        return moment.strftime(match[0])

    try:
        # Only the directives: strftime encodes other text by the locale of the process.
        return _DIRECTIVE.sub(directive, date_format)
    except (ValueError, OverflowError):
        raise TemplateValueError(f"date: {date_format!r} cannot print this date") from None


def _read(value: object, now: datetime) -> datetime:
    if isinstance(value, str) and value.strip().lower() in ("now", "today"):
        return now
    try:
        moment = _parse(value, now)
        return moment.astimezone(now.tzinfo) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # ParserError is a ValueError
        found = repr(value) if isinstance(value, str | int | float) else describe(value)
        raise TemplateValueError(f"date: {found} is not a date") from None


def _parse(value: object, now: datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a date has no time zone
    if isinstance(value, str):
        return _parse_text(value.strip(), now)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_MILLISECONDS:
        seconds = value / 1000 if abs(value) >= _MIN_MILLISECONDS else value
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    raise ValueError(value)


def _parse_text(text: str, now: datetime) -> datetime:
    if _EPOCH_DIGITS.fullmatch(text):
        return _parse(int(text), now)
    if len(text) > _MAX_DATE_LENGTH or (text.isdigit() and not _DAY_DIGITS.fullmatch(text)):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        if (found := _DAY_AND_MONTH.search(text)) and found[1] != found[2] and max(map(int, found.groups())) <= _MONTHS:
            raise ValueError(text) from None  # nobody can tell which is the day, 5/6/2026 is June 5 or May 6
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        parsed: Any = parser.parse(text, default=midnight, tzinfos=_time_zone)
        if not isinstance(parsed, datetime):
            raise
        return parsed


def _time_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Return the time zone of a name or an offset in seconds. dateutil would take names from the machine."""
    if name is None and offset is None:
        return None
    if offset is not None and abs(timedelta(seconds=offset)) < _MAX_OFFSET:
        return timezone(timedelta(seconds=offset))
    if name and name.lower() in _UTC_NAMES:
        return UTC
    raise ValueError(name)
