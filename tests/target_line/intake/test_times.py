"""Times in input records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_line.intake.times import milliseconds, read_end, read_time
from target_line.reasons import Reason, RejectedRecordError

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
IN_APRIL = datetime(2024, 4, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-04-02T04:00:00Z",
        "2024-04-02t04:00:00z",
        " 2024-04-02T04:00:00.000000000Z ",
        "2024-04-02 04:00:00 UTC",
        "2024-04-02 04:00:00+00",
        "2024-04-02T13:00:00+09:00",
        "2024-04-02 13:00:00 +0900",
        "2024-04-02 13:00:00",
        "2024-04-02 13:00",
        "20240402T130000",
        "20240402T040000Z",
        datetime(2024, 4, 2, 13),  # noqa: DTZ001 - local time
        1712030400,
        1712030400.0,
        "1712030400",
        1712030400000,
        "1712030400000",
        "1712030400000.0",
    ],
)
def test_one_time_in_the_forms_that_people_and_databases_write(value: object) -> None:
    assert read_time(value, "send_at", TOKYO) == read_end(value, "expires_at", TOKYO) == IN_APRIL


@pytest.mark.parametrize(
    "value",
    [
        *("20240402", "20240402090000", 20240402, 202404020900, 20240402090000, "202404020900"),
        *("2024-02-30", "0000-00-00 00:00:00", "2024-04-02x04:00:00", "2024-04-02T25:00:00", "٢٠٢٤-٠٤-٠٢"),
        *("9999-12-31T23:59:59.999999-01:00", "0001-01-01T00:00:00+14:00", "10000-01-01", "-0001-01-01"),
        *("yesterday", "1e9", "0x10", True, False, [], {}, 0, 17, -1, 10**14, float("nan"), float("inf")),
        pytest.param(10**5000, id="very large"),
    ],
)
def test_what_is_no_time_is_rejected(value: object) -> None:
    for read in (read_time, read_end):
        with pytest.raises(RejectedRecordError) as caught:
            read(value, "send_at", UTC)
        assert (caught.value.reason, caught.value.column) == (Reason.INVALID_TIMESTAMP, "send_at")


def test_null_and_blanks_are_no_time() -> None:
    assert [read_time(value, "send_at", UTC) for value in (None, "", "  ")] == [None] * 3


@pytest.mark.parametrize(
    ("value", "zone", "end"),
    [
        ("2026-11-25", TOKYO, datetime(2026, 11, 25, 14, 59, 59, 999999, tzinfo=UTC)),
        ("2026-11-25 ", UTC, datetime(2026, 11, 25, 23, 59, 59, 999999, tzinfo=UTC)),
        # In the night of 2026-11-01 the clocks of New York are put back: the day has 25 hours.
        ("2026-11-01", NEW_YORK, datetime(2026, 11, 2, 4, 59, 59, 999999, tzinfo=UTC)),
        ("9999-12-31", NEW_YORK, datetime.max.replace(tzinfo=UTC)),
        ("9999-12-31 23:59:59", NEW_YORK, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_date_is_the_end_of_that_day_for_expiry_and_its_beginning_elsewhere(
    value: str, zone: ZoneInfo, end: datetime
) -> None:
    assert read_end(value, "expires_at", zone) == end
    if not value.startswith("9999"):
        assert read_time(value, "send_at", zone) == end.astimezone(zone).replace(
            hour=0, minute=0, second=0, microsecond=0
        )


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_seconds_and_milliseconds_are_told_apart(time: datetime) -> None:
    time = time.replace(microsecond=time.microsecond // 1000 * 1000)
    whole = time.replace(microsecond=0)
    for value in (int(whole.timestamp()), str(int(whole.timestamp()))):
        assert read_time(value, "send_at", TOKYO) == whole
    for value in (milliseconds(time), str(milliseconds(time)), time.isoformat()):
        assert read_time(value, "send_at", TOKYO) == time


@given(st.datetimes(timezones=st.timezones()) | st.datetimes())
def test_every_time_that_the_calendar_has_in_utc_is_read(time: datetime) -> None:
    try:
        expected = (time if time.tzinfo else time.replace(tzinfo=TOKYO)).astimezone(UTC)
    except OverflowError:
        return
    assert read_time(str(time), "send_at", TOKYO) == expected or time.utcoffset() is None or time.fold
    assert milliseconds(expected) == (expected - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
