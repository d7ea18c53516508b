"""Quiet hours: when nobody wants to be woken by a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from line_core.errors import SettingError

if TYPE_CHECKING:
    from datetime import tzinfo

_FORM = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of each day by the clock on the wall; it may go over midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours:
        """Read `21:00-08:00`.

        Raises:
            SettingError: It is not of that form, or covers nothing.
        """
        form = _FORM.fullmatch(text.strip())
        if not form:
            raise SettingError(f"{text!r} is not of the form 21:00-08:00", setting="quiet_hours")
        first_hour, first_minute, last_hour, last_minute = map(int, form.groups())
        begin, end = time(first_hour, first_minute), time(last_hour, last_minute)
        if begin == end:
            raise SettingError(f"{text!r} begins and ends at the same time", setting="quiet_hours")
        return cls(begin, end)

    def end_after(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet hours end that now is in; None outside of them.

        When the clocks are put forward over the end, the quiet hours end as much later; of an end that comes twice the
        first counts.

        Args:
            now: An aware time.
            zone: Of the person who would be woken.

        Returns:
            A time in UTC, after now.
        """
        local = now.astimezone(zone)
        clock = local.time()
        overnight = self.end < self.begin
        quiet = (clock >= self.begin or clock < self.end) if overnight else self.begin <= clock < self.end
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if overnight and clock >= self.begin else local.date()
        end = datetime.combine(day, self.end, zone).astimezone(UTC)
        # Within the hour that comes twice, the first coming of the end may be behind us.
        return end if end > now else datetime.combine(day, self.end.replace(fold=1), zone).astimezone(UTC)
