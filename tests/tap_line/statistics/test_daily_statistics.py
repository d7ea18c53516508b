"""The days that daily statistics read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from line_core.errors import SettingError
from line_core.line_time import line_date
from tap_line.base.daily_stream import first_day_to_read, parse_start_date
from tap_line.streams.statistics.aggregation_units import months_between
from tap_line.streams.statistics.rich_menu_statistics import daily_records, split_into_ranges

TODAY = date(2026, 6, 30)
FIRST_AVAILABLE = date(2016, 11, 1)


def first_day(last_day_read: date | None, start: date = date(2026, 6, 1)) -> date:
    return first_day_to_read(
        last_day_read=last_day_read, start=start, first_available=FIRST_AVAILABLE, today=TODAY, lookback_days=3
    )


def test_the_first_run_starts_at_the_start_date_but_not_before_the_first_available_day() -> None:
    assert first_day(None) == date(2026, 6, 1)
    assert first_day(None, date(2000, 1, 1)) == FIRST_AVAILABLE


def test_an_unfinished_backfill_continues_on_the_day_after_the_last_day_read() -> None:
    assert first_day(date(2026, 3, 15)) == date(2026, 3, 16)


def test_the_lookback_days_are_read_again() -> None:
    assert first_day(date(2026, 6, 29)) == date(2026, 6, 27)
    assert first_day(TODAY) == date(2026, 6, 27)


@pytest.mark.parametrize("setting", ["2026-05-01", "2026-05-01T00:00:00Z", "2026-05-01T09:00:00+09:00"])
def test_the_time_of_a_start_date_is_ignored(setting: str) -> None:
    assert parse_start_date(setting, TODAY) == date(2026, 5, 1)


def test_the_default_start_date_is_thirty_days_ago() -> None:
    assert parse_start_date(None, TODAY) == date(2026, 5, 31)


def test_an_invalid_start_date_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(SettingError, match="setting: start_date"):
        parse_start_date("yesterday", TODAY)


def test_a_day_in_line_s_time_zone_starts_at_15_00_utc() -> None:
    assert line_date(datetime(2026, 6, 30, 14, 59, tzinfo=UTC)) == TODAY
    assert line_date(datetime(2026, 6, 30, 15, 0, tzinfo=UTC)) == date(2026, 7, 1)


def test_months_between_includes_the_months_of_both_days() -> None:
    assert months_between(date(2025, 12, 31), date(2026, 2, 1)) == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert months_between(TODAY, TODAY) == [date(2026, 6, 1)]


def test_a_long_period_is_split_into_full_ranges_without_gaps() -> None:
    ranges = split_into_ranges(date(2025, 6, 1), TODAY)
    assert all((end - start).days == 99 for start, end in ranges)
    assert ranges[0][0] == date(2025, 6, 1)
    assert ranges[-1][1] == TODAY
    assert all(after[0] <= before[1] + date.resolution for before, after in pairwise(ranges))


def test_a_short_period_is_extended_to_a_full_range() -> None:
    assert split_into_ranges(date(2026, 6, 29), TODAY) == [(date(2026, 3, 23), TODAY)]


def test_impressions_and_taps_of_a_day_are_one_record() -> None:
    bounds = {"x": 0, "y": 0, "width": 1, "height": 1}
    body = {
        "richMenuId": "r",
        "impression": {"metrics": [{"date": "20260610", "count": 9, "uniqueUsers": 8}]},
        "clicks": [
            {"bounds": bounds, "metrics": [{"date": "20260610", "count": 2, "uniqueUsers": 1}]},
            {"bounds": bounds, "metrics": [{"date": "20260611", "count": 0, "uniqueUsers": 0}]},
        ],
    }
    first, second = daily_records("r", body)
    assert first == {
        "richMenuId": "r",
        "date": "2026-06-10",
        "impressions": 9,
        "unique_impressions": 8,
        "clicks": 2,
        "areas": [{"bounds": bounds, "count": 2, "uniqueUsers": 1}],
    }
    assert (second["date"], second["impressions"], second["clicks"]) == ("2026-06-11", None, 0)


def test_a_menu_without_figures_has_no_records() -> None:
    assert list(daily_records("r", {"richMenuId": "r"})) == []
