"""Durations as settings write them."""

from __future__ import annotations

import re
from datetime import timedelta

from line_core.errors import SettingError

_FORM = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)\s*(?P<unit>[smhd]?)")
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: str | float, setting: str) -> timedelta:
    """Read `90m`, `36h`, `7d`, or a number of seconds.

    Raises:
        SettingError: It is neither, or not more than nothing.
    """
    form = _FORM.fullmatch(str(value).strip())
    try:
        duration = timedelta(**{_UNITS[form["unit"]]: float(form["number"])}) if form else timedelta()
    except OverflowError:
        duration = timedelta()
    if not duration:
        raise SettingError(f"{value!r} is no duration such as 90m, 36h or 7d", setting=setting)
    return duration
