"""Time zones as people's data writes them."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?", re.ASCII)
_HOURS = re.compile(r"[+-]?\d{1,2}", re.ASCII)
_MIN_OFFSET, _MAX_OFFSET = timedelta(hours=-12), timedelta(hours=14)
_MACHINE_ZONES = frozenset({"localtime", "factory"})
_SEASONS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


@lru_cache(maxsize=2000)
def read_time_zone(value: object) -> tzinfo | None:
    """Return a time zone: an IANA name in any case, with blanks or underscores, or an offset such as +09:00 or UTC+9.

    Args:
        value: Any hashable value.

    Returns:
        The time zone; None if the value is neither a name nor an offset.
    """
    if not isinstance(value, str):
        return None
    name = _folded(value)
    if name == "z":
        return UTC
    if zone_name := _zone_names().get(name):
        return ZoneInfo(zone_name)
    match = _OFFSET.fullmatch(value.strip().casefold())
    if not match:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return _fixed(-offset if sign == "-" else offset)


@lru_cache(maxsize=2000)
def possible_time_zones(value: object) -> tuple[tzinfo, ...]:
    """Return the time zones that a value may mean which is no time zone, such as JST, Tokyo or 9.

    Args:
        value: Any hashable value.

    Returns:
        The time zones with this abbreviation, this last part of their name, or this number of hours; often none.
    """
    text = str(value).strip()
    zones = [ZoneInfo(name) for name in _zone_names_by_part().get(_folded(text), ())]
    if _HOURS.fullmatch(text) and (zone := _fixed(timedelta(hours=int(text)))):
        return zone, *zones
    return tuple(zones)


def _folded(name: str) -> str:
    return "_".join(name.casefold().replace("_", " ").split())


def _fixed(offset: timedelta) -> timezone | None:
    return timezone(offset) if _MIN_OFFSET <= offset <= _MAX_OFFSET else None


@cache
def _zone_names() -> dict[str, str]:
    """Return the IANA names by folded name."""
    names = {_folded(name): name for name in available_timezones()}
    return {folded: name for folded, name in names.items() if folded not in _MACHINE_ZONES}


@cache
def _zone_names_by_part() -> dict[str, list[str]]:
    """Return IANA names by the last part of the name and by abbreviation; one name of zones with equal offsets."""
    found: defaultdict[str, dict[tuple[timedelta | None, ...], str]] = defaultdict(dict)
    for name in sorted(_zone_names().values()):
        times = [season.astimezone(ZoneInfo(name)) for season in _SEASONS]
        offsets = tuple(time.utcoffset() for time in times)
        for part in {name.rpartition("/")[2], *(time.tzname() or "" for time in times)}:
            found[_folded(part)].setdefault(offsets, name)
    return {part: list(names.values()) for part, names in found.items()}
