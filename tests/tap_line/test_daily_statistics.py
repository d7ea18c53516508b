"""Which days of daily statistics are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from line_core.errors import SettingError
from tap_line.base.daily_stream import first_day_to_read, start_date_of
from tap_line.clock import line_date
from tap_line.streams.marketing.rich_menus import days_of, spans
from tap_line.streams.statistics.message_event_statistics import months_between

TODAY = date(2026, 6, 30)
FIRST = date(2016, 11, 1)


def begin(read_until: date | None, start: date = date(2026, 6, 1)) -> date:
    return first_day_to_read(read_until=read_until, start=start, first=FIRST, today=TODAY, lookback_days=3)


def test_the_first_run_begins_at_the_start_date_but_not_before_line_began() -> None:
    assert begin(None) == date(2026, 6, 1)
    assert begin(None, date(2000, 1, 1)) == FIRST


def test_an_unfinished_backfill_goes_on_exactly_where_it_ended() -> None:
    assert begin(date(2026, 3, 15)) == date(2026, 3, 16)


def test_the_last_days_are_read_again_since_they_settle_late() -> None:
    assert begin(date(2026, 6, 29)) == date(2026, 6, 27)
    assert begin(TODAY) == date(2026, 6, 27)


@pytest.mark.parametrize("setting", ["2026-05-01", "2026-05-01T00:00:00Z", "2026-05-01T09:00:00+09:00"])
def test_a_start_date_may_have_a_time(setting: str) -> None:
    assert start_date_of(setting, TODAY) == date(2026, 5, 1)


def test_without_a_start_date_the_last_thirty_days_are_read() -> None:
    assert start_date_of(None, TODAY) == date(2026, 5, 31)


def test_a_start_date_that_is_none_names_the_setting() -> None:
    with pytest.raises(SettingError, match="setting: start_date"):
        start_date_of("yesterday", TODAY)


def test_a_day_begins_nine_hours_before_utc_s() -> None:
    assert line_date(datetime(2026, 6, 30, 14, 59, tzinfo=UTC)) == TODAY
    assert line_date(datetime(2026, 6, 30, 15, 0, tzinfo=UTC)) == date(2026, 7, 1)


def test_months_are_all_that_the_days_touch() -> None:
    assert months_between(date(2025, 12, 31), date(2026, 2, 1)) == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert months_between(TODAY, TODAY) == [date(2026, 6, 1)]


def test_a_long_time_is_cut_into_spans_without_a_gap_and_the_last_is_of_full_length() -> None:
    cut = spans(date(2025, 6, 1), TODAY)
    assert all((end - start).days == 99 for start, end in cut)
    assert cut[0][0] == date(2025, 6, 1)
    assert cut[-1][1] == TODAY
    assert all(after[0] <= before[1] + date.resolution for before, after in pairwise(cut))


def test_a_short_time_is_still_asked_for_in_full_length() -> None:
    assert spans(date(2026, 6, 29), TODAY) == [(date(2026, 3, 23), TODAY)]


def test_seen_and_tapped_come_together_by_day() -> None:
    bounds = {"x": 0, "y": 0, "width": 1, "height": 1}
    body = {
        "richMenuId": "r",
        "impression": {"metrics": [{"date": "20260610", "count": 9, "uniqueUsers": 8}]},
        "clicks": [
            {"bounds": bounds, "metrics": [{"date": "20260610", "count": 2, "uniqueUsers": 1}]},
            {"bounds": bounds, "metrics": [{"date": "20260611", "count": 0, "uniqueUsers": 0}]},
        ],
    }
    first, second = days_of("r", body)
    assert first == {
        "richMenuId": "r",
        "date": "2026-06-10",
        "impressions": 9,
        "unique_impressions": 8,
        "clicks": 2,
        "areas": [{"bounds": bounds, "count": 2, "uniqueUsers": 1}],
    }
    assert (second["date"], second["impressions"], second["clicks"]) == ("2026-06-11", None, 0)


def test_a_menu_that_too_few_tapped_has_no_days() -> None:
    assert list(days_of("r", {"richMenuId": "r"})) == []
