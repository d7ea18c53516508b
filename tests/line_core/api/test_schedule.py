"""The rules of one rate limit: GCRA for limits per second, a sliding window for longer limits."""

from __future__ import annotations

import pytest

from line_core.api.rate_limit.schedule import GcraSchedule, LimitState, SlidingWindowSchedule, schedule_of
from line_core.api.rate_limit.table import RateLimit

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("limit", "kind"),
    [
        (RateLimit(10, 1), GcraSchedule),
        (RateLimit(60, 60), SlidingWindowSchedule),
        (RateLimit(60, 3600), SlidingWindowSchedule),
    ],
)
def test_limits_per_second_use_gcra_and_longer_limits_a_sliding_window(limit: RateLimit, kind: type) -> None:
    assert type(schedule_of(limit)) is kind


def test_a_process_may_have_two_fifths_of_a_second_of_permits_divided_by_the_requesters() -> None:
    schedule, state = GcraSchedule(2000, 1), LimitState()
    assert len(schedule.grant(state, "first", NOW, 1000, 0)) == 800
    assert len(schedule.grant(state, "second", NOW, 1000, 0)) == 400
    assert len(schedule.grant(state, "first", NOW + 0.5, 1000, 0)) == 400
    assert len(schedule.grant(state, "first", NOW + 2, 1000, 0)) == 800


def test_leases_of_two_requesters_do_not_overlap() -> None:
    schedule, state = GcraSchedule(2000, 1), LimitState()
    first = schedule.grant(state, "first", NOW, 300, 0)
    second = schedule.grant(state, "second", NOW, 100, 0)
    assert second[0] - first[-1] == pytest.approx(schedule.interval, rel=1e-3)


def test_permits_start_when_a_slow_store_has_granted_them() -> None:
    schedule = GcraSchedule(2000, 1)
    assert schedule.grant(LimitState(), "only", NOW, 1, 2.5)[0] >= NOW + 2.5 - schedule.tolerance


def test_a_clock_that_was_set_back_does_not_stop_limits_per_second() -> None:
    schedule, state = GcraSchedule(2000, 1), LimitState()
    schedule.grant(state, "only", NOW, 1, 0)
    assert schedule.grant(state, "only", NOW - 3600, 1, 0)[0] <= NOW - 3600


@pytest.mark.parametrize("schedule", [GcraSchedule(10, 1), SlidingWindowSchedule(60, 3600)])
def test_a_pause_from_before_the_clock_was_set_back_is_not_waited_for(
    schedule: GcraSchedule | SlidingWindowSchedule,
) -> None:
    state = LimitState()
    schedule.pause(state, NOW + 30)
    earlier = NOW - 2 * 3600
    assert schedule.available_at(state, earlier) <= earlier + schedule.seconds + schedule.tolerance
    if isinstance(schedule, GcraSchedule):
        assert schedule.grant(state, "only", earlier, 1, 0)[0] <= earlier
    schedule.pause(state, earlier + 5)
    assert schedule.grant(state, "only", earlier + 4, 1, 0) == []


def test_permits_of_an_hourly_limit_from_before_the_clock_was_set_back_count_for_an_hour() -> None:
    schedule, state = SlidingWindowSchedule(60, 3600), LimitState()
    schedule.grant(state, "only", NOW, 60, 0)
    earlier = NOW - 5 * 3600
    assert schedule.grant(state, "only", earlier, 1, 0) == []
    assert schedule.available_at(state, earlier) <= earlier + 3600 + schedule.tolerance
    assert len(schedule.grant(state, "only", earlier + 3700, 1, 0)) == 1


@pytest.mark.parametrize("schedule", [GcraSchedule(10, 1), SlidingWindowSchedule(60, 3600)])
def test_a_shorter_pause_does_not_end_a_longer_one(schedule: GcraSchedule | SlidingWindowSchedule) -> None:
    state = LimitState()
    schedule.pause(state, NOW + 30)
    schedule.pause(state, NOW + 5)
    assert schedule.grant(state, "only", NOW + 29, 1, 0) == []
    assert schedule.available_at(state, NOW + 29) >= NOW + 30
