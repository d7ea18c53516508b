"""Quiet hours: parsing and end time, also at clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.errors import SettingError
from target_line.sending.quiet_hours import QuietHours

ZONES = ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo"]


@given(
    now=st.integers(0, 366 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    begin=st.times().map(lambda clock: clock.replace(microsecond=0)),
    end=st.times().map(lambda clock: clock.replace(microsecond=0)),
)
def test_quiet_hours_end_in_the_future(now: datetime, zone: ZoneInfo, begin: time, end: time) -> None:
    hours = QuietHours(begin, end)
    until = hours.end_after(now, zone)
    if until is None or begin == end:
        return
    assert now < until <= now + timedelta(hours=25)
    again = hours.end_after(until, zone)
    assert again is None or again > until, "quiet hours may continue only at a clock change"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T20:59:59+02:00", None),
        ("2026-06-01T21:00:00+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T07:59:59+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T08:00:00+02:00", None),
        ("2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_quiet_hours_use_local_time(now: str, until: str | None) -> None:
    found = QuietHours.parse("21:00-08:00").end_after(datetime.fromisoformat(now), ZoneInfo("Europe/Berlin"))
    assert found == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize("text", ["", "21-8", "21:00", "25:00-08:00", "21:00-08:60", "08:00-08:00"])
def test_invalid_quiet_hours_are_an_error_with_the_setting(text: str) -> None:
    with pytest.raises(SettingError, match="setting: quiet_hours"):
        QuietHours.parse(text)
