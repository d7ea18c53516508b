"""Times in input records: ISO 8601 dates and date-times as people and databases write them, and epoch numbers.

Epoch numbers are told apart by their magnitude. A number that could be a date written in digits (`20260401`,
`202604010930`, `20260401093000`) is rejected, because nobody can tell what it means:

| number, positive or negative | meaning |
|---|---|
| 10^8 to below 10^11 (1973-03-03 to 5138-11-16) | seconds since 1970 |
| 10^11 to below 10^14 (1973-03-03 to 5138-11-16) | milliseconds since 1970, except those below |
| 190,000,000,000 to 210,000,000,000 and 100 times these | rejected: they read as a date of the years 1900 to 2099 |
| every other number | rejected |
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from target_line.reasons import Reason, RejectedRecordError, shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MIN_SECONDS, _MIN_MILLISECONDS, _END = 10**8, 10**11, 10**14
_READ_AS_DATES = (range(190 * 10**9, 210 * 10**9), range(190 * 10**11, 210 * 10**11))

_NEVER = "9999-12-31"
"""The day that stands for "never" in many databases."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{0,20})?")
_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,20})?)?)"
_OFFSET = r"(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?(?::[0-9]{2})?"
_ISO = re.compile(rf"{_DATE}(?:(?:T|\s+){_CLOCK}\s*(?:Z|UTC|GMT|{_OFFSET})?)?\s*", re.IGNORECASE)
_BASIC_ISO = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})?(.*)", re.IGNORECASE)
_UNIVERSAL = re.compile(r"(?:Z|UTC|GMT)\s*\Z", re.IGNORECASE)


class _Time(NamedTuple):
    at: datetime
    """An aware time."""
    is_date: bool
    """Whether the value is a date only; then `at` is the beginning of that day."""


def read_time(value: object, column: str, zone: tzinfo) -> datetime | None:
    """Return a time in UTC, None if the value is null or blank. A date is the beginning of the day.

    When the clocks change, a local time that does not exist is moved forward, and of a local time that exists twice,
    the first is used.

    Args:
        value: The value of a column.
        column: Its name, for the error.
        zone: Time zone of times without one.

    Raises:
        RejectedRecordError: The value is not a time, or it is not within the years 1 to 9999.
    """
    if value is None:
        return None
    # The form of nearly all times. Python accepts every separator, so the separator is tested here.
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] in ("T", " "):
        try:
            at = datetime.fromisoformat(value)
            return at if at.tzinfo is UTC else _in_utc(at, zone)
        except (ValueError, OverflowError):
            pass
    read = _read(value, column, zone)
    return read.at if read else None


def read_end(value: object, column: str, zone: tzinfo) -> datetime | None:
    """Return a time in UTC like `read_time`; a date is the end of that day.

    Raises:
        RejectedRecordError: The value is not a time, or it is not within the years 1 to 9999.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.strip().startswith(_NEVER):
        _read(value, column, UTC)  # west of Greenwich, this day ends in the year 10000
        return datetime.max.replace(tzinfo=UTC)
    read = _read(value, column, zone)
    if read is None or not read.is_date:
        return read.at if read else None
    return datetime.combine(read.at.astimezone(zone), time.max, zone).replace(fold=1).astimezone(UTC)


def milliseconds(at: datetime) -> int:
    """Return the whole milliseconds since 1970 of an aware time; negative before 1970."""
    return (at - _EPOCH) // _MILLISECOND


def _read(value: object, column: str, zone: tzinfo) -> _Time | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        read = _parse(value, zone)
    except (ValueError, OverflowError):
        read = None
    if read is None:
        raise RejectedRecordError(
            Reason.INVALID_TIMESTAMP, f"{column} {shown(value)} is neither an ISO 8601 time nor an epoch number", column
        )
    return read


def _parse(value: object, zone: tzinfo) -> _Time | None:
    """Return the time, None if the value is not one.

    Raises:
        ValueError, OverflowError: The value has the form of a time and is none, such as 30 February.
    """
    if isinstance(value, datetime):
        return _Time(_in_utc(value, zone), is_date=False)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(Decimal(str(value))) if -_END < value < _END else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _from_number(Decimal(text))
    return _from_iso(text, zone)


def _from_iso(text: str, zone: tzinfo) -> _Time | None:
    if basic := _BASIC_ISO.fullmatch(text):
        year, month, day, hour, minute, second, rest = basic.groups()
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{rest}"
    found = _ISO.fullmatch(text)
    if not found:
        return None
    if found["clock"] is None:
        return _Time(_in_utc(datetime.combine(date.fromisoformat(found["date"]), time.min), zone), is_date=True)
    offset = ""
    if found["sign"]:
        offset = f"{found['sign']}{found['hours']}:{found['minutes'] or '00'}"
    elif _UNIVERSAL.search(text):
        offset = "+00:00"
    return _Time(_in_utc(datetime.fromisoformat(f"{found['date']}T{found['clock']}{offset}"), zone), is_date=False)


def _from_number(number: Decimal) -> _Time | None:
    size = abs(number)
    if not _MIN_SECONDS <= size < _END or any(int(size) in dates for dates in _READ_AS_DATES):
        return None
    unit = timedelta(seconds=1) if size < _MIN_MILLISECONDS else _MILLISECOND
    whole, fraction = divmod(number, 1)
    return _Time(_EPOCH + int(whole) * unit + float(fraction) * unit, is_date=False)


def _in_utc(at: datetime, zone: tzinfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
