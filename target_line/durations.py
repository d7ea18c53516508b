"""Durations in settings."""

from __future__ import annotations

import re
from datetime import timedelta

from line_core.errors import SettingError

_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)\s*(?P<unit>[smhd]?)")
_LONGEST = timedelta(days=3660)
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: str | float, setting: str) -> timedelta:
    """Parse `90m`, `36h`, `7d`, or a number of seconds.

    Raises:
        SettingError: The value is not a duration, or it is zero or more than ten years.
    """
    match = _DURATION.fullmatch(str(value).strip())
    try:
        duration = timedelta(**{_UNITS[match["unit"]]: float(match["number"])}) if match else timedelta()
    except OverflowError:
        duration = timedelta()
    if not duration:
        raise SettingError(f"{value!r} is not a duration such as 90m, 36h or 7d", setting=setting)
    if duration > _LONGEST:
        raise SettingError(f"{value!r} is longer than ten years", setting=setting)
    return duration
