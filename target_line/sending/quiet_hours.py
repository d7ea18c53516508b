"""Quiet hours: a daily period in which messages to people are postponed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

_FORMAT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily period in local time. It may include midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours:
        """Parse text such as `21:00-08:00`.

        Raises:
            SettingError: The text has another format, or the period is empty.
        """
        match = _FORMAT.fullmatch(text.strip())
        if not match:
            raise SettingError(f"{text!r} is not of the form 21:00-08:00", setting="quiet_hours")
        first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
        begin, end = time(first_hour, first_minute), time(last_hour, last_minute)
        if begin == end:
            raise SettingError(f"{text!r} begins and ends at the same time", setting="quiet_hours")
        return cls(begin, end)

    def end_after(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Return the end of the quiet hours that include `now`, in UTC; None if `now` is outside of them.

        If the clocks are put forward over the end, the quiet hours end later by the same amount. If the end exists
        twice, the first one counts.

        Args:
            now: An aware time.
            zone: Time zone of the recipient.
        """
        local = now.astimezone(zone)
        clock = local.time()
        overnight = self.end < self.begin
        quiet = (clock >= self.begin or clock < self.end) if overnight else self.begin <= clock < self.end
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if overnight and clock >= self.begin else local.date()
        end = datetime.combine(day, self.end, zone).astimezone(UTC)
        # In the hour that exists twice, the first occurrence of the end may have passed.
        return end if end > now else datetime.combine(day, self.end.replace(fold=1), zone).astimezone(UTC)

    def end_in_all(self, now: datetime, zones: Sequence[tzinfo]) -> datetime | None:
        """Return the first time from which the quiet hours have ended in all time zones, in UTC; None if that is `now`.

        If there is no such time within a day, the first time zone decides.

        Args:
            now: An aware time.
            zones: Time zones that the recipient may be in, at least one.
        """
        until = now
        while ends := [end for zone in zones if (end := self.end_after(until, zone))]:
            until = max(ends)
            if until > now + timedelta(days=1):
                return self.end_after(now, zones[0])
        return until if until > now else None

    def begin_after(self, now: datetime, zone: tzinfo) -> datetime:
        """Return the next begin of the quiet hours, in UTC.

        Args:
            now: An aware time outside of quiet hours.
            zone: Time zone of the recipient.
        """
        day = now.astimezone(zone).date()
        begin = datetime.combine(day, self.begin, zone).astimezone(UTC)
        return begin if begin > now else datetime.combine(day + timedelta(days=1), self.begin, zone).astimezone(UTC)
