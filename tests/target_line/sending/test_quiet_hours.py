"""Quiet hours: parsing and end time, also at clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.errors import SettingError
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.time_zones import possible_time_zones, read_time_zone

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


NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        ("Asia/Tokyo", 9),
        ("asia/TOKYO", 9),
        (" Asia/Tokyo\n", 9),
        ("America/New York", -4),
        ("america/new_york", -4),
        ("utc", 0),
        ("Z", 0),
        ("+09:00", 9),
        ("+0900", 9),
        ("-3", -3),
        ("UTC+9", 9),
        ("utc + 09:00", 9),
        ("GMT-3:30", -3.5),
        ("Etc/GMT+9", -9),
    ],
)
def test_a_time_zone_is_a_name_in_any_case_or_an_offset(value: str, hours: float) -> None:
    zone = read_time_zone(value)
    assert zone
    assert zone.utcoffset(NOW) == timedelta(hours=hours)


@pytest.mark.parametrize("value", ["JST", "Tokyo", "9", "Moon", "", "+25", "-12:30", "localtime", "/a", 9, None])
def test_other_values_are_no_time_zone(value: object) -> None:
    assert read_time_zone(value) is None


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        ("JST", {9}),
        ("jst", {9}),
        ("Tokyo", {9}),
        ("9", {9}),
        (9, {9}),
        ("IST", {1, 3, 5.5}),
        ("Moon", set()),
        ("99", set()),
    ],
)
def test_an_unreadable_time_zone_may_mean_several(value: object, hours: set[float]) -> None:
    offsets = {zone.utcoffset(NOW) for zone in possible_time_zones(value)}
    assert offsets == {timedelta(hours=number) for number in hours}


def test_quiet_hours_in_several_time_zones_end_with_the_last_of_them() -> None:
    london, tokyo = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")
    hours = QuietHours.parse("20:00-23:00")
    quiet_in_tokyo = datetime(2026, 11, 25, 13, tzinfo=UTC)
    end = datetime(2026, 11, 25, 14, tzinfo=UTC)
    assert hours.end_in_all(quiet_in_tokyo, [london]) is None
    assert hours.end_in_all(quiet_in_tokyo, [london, tokyo]) == end
    assert hours.end_in_all(end, [london, tokyo]) is None
    chain = QuietHours.parse("21:00-08:00")
    assert chain.end_in_all(quiet_in_tokyo, [london, tokyo]) == datetime(2026, 11, 26, 8, tzinfo=UTC)


@given(
    now=st.integers(0, 366 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    zones=st.lists(st.sampled_from(ZONES).map(ZoneInfo), min_size=1, max_size=4),
    begin=st.times().map(lambda clock: clock.replace(microsecond=0)),
    end=st.times().map(lambda clock: clock.replace(microsecond=0)),
)
def test_quiet_hours_have_ended_in_all_time_zones(now: datetime, zones: list[ZoneInfo], begin: time, end: time) -> None:
    hours = QuietHours(begin, end)
    until = hours.end_in_all(now, zones)
    assert until is None or until > now
    has_ended = all(hours.end_after(until or now, zone) is None for zone in zones)
    assert begin == end or has_ended or until == hours.end_after(now, zones[0])


def test_quiet_hours_that_never_end_in_all_time_zones_end_with_the_first() -> None:
    zones = [ZoneInfo(name) for name in ("Europe/London", "Asia/Tokyo", "America/New_York", "Pacific/Auckland")]
    hours = QuietHours.parse("20:00-12:00")
    assert hours.end_in_all(datetime(2026, 11, 25, 13, tzinfo=UTC), zones) is None
    assert hours.end_in_all(datetime(2026, 11, 25, 21, tzinfo=UTC), zones) == datetime(2026, 11, 26, 12, tzinfo=UTC)
