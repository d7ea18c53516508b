"""Pacing keeps LINE's limits."""

from __future__ import annotations

import asyncio
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.api import LocalRateLimiter
from tests.support.pacing import Caller, Clock, call_times, most_in

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE = "GET /v2/bot/profile/{userId}"
PUSH = "POST /v2/bot/message/push"
MENUS = "GET /v2/bot/richmenu/list"
INSIGHT = "GET /v2/bot/insight/followers"


def times(limits: LocalRateLimiter, clock: Clock, endpoint: str, gaps: Sequence[float]) -> list[float]:
    """When calls are made that are wanted after each of the gaps."""
    return call_times(clock, [Caller(clock.now + at, limits, endpoint) for at in accumulate(gaps)])


@given(st.lists(st.floats(min_value=0, max_value=0.4), min_size=1, max_size=60))
def test_no_second_ever_has_more_requests_than_the_limit(gaps: list[float]) -> None:
    clock = Clock()
    assert most_in(times(LocalRateLimiter(clock=clock), clock, MENUS, gaps), 1) <= 10


def test_a_long_queue_goes_out_at_nearly_the_limit() -> None:
    clock = Clock()
    called = times(LocalRateLimiter(clock=clock), clock, PROFILE, [0.0] * 20_000)
    assert most_in(called, 1) <= 2000
    assert 20_000 / (called[-1] - called[0]) > 1950


def test_what_was_missed_is_caught_up_with_and_no_second_has_more_than_the_limit() -> None:
    clock = Clock()
    limits = LocalRateLimiter(clock=clock)
    called = times(limits, clock, PROFILE, [0.0] * 1000)
    clock.now = called[-1] + 0.3
    called += times(limits, clock, PROFILE, [0.0] * 3000)
    assert most_in(called, 1) <= 2000
    assert called[1500] - called[1000] < 0.25


def test_an_hour_s_calls_may_go_at_once_and_then_none_for_an_hour() -> None:
    clock = Clock()
    limits = LocalRateLimiter(clock=clock)
    assert [limits.try_acquire(INSIGHT) for _ in range(61)] == [True] * 60 + [False]
    clock.now += 3599
    assert not limits.try_acquire(INSIGHT)
    clock.now += 90
    assert limits.try_acquire(INSIGHT)


def test_who_waits_for_an_hour_s_limit_is_woken_when_there_is_room() -> None:
    clock = Clock()
    called = times(LocalRateLimiter(clock=clock), clock, INSIGHT, [0.0] * 130)
    assert most_in(called, 3600) <= 60
    assert 7200 < called[-1] - called[0] < 7400


def test_endpoints_do_not_wait_for_each_other() -> None:
    clock = Clock()
    limits = LocalRateLimiter(clock=clock)
    times(limits, clock, PROFILE, [0.0] * 1000)
    assert limits.try_acquire(PUSH)


def test_the_setting_bounds_all_endpoints_together() -> None:
    clock = Clock()
    limits = LocalRateLimiter(5, clock=clock)
    called = call_times(clock, [Caller(clock.now, limits, endpoint) for endpoint in (PROFILE, PUSH) * 10])
    assert most_in(called, 1) <= 5
    assert 3 < called[-1] - called[0] < 4.5


@pytest.mark.parametrize("late", [0.0, 0.03])
def test_less_than_one_request_a_second_can_be_asked_for(late: float) -> None:
    clock = Clock()
    limits = LocalRateLimiter(0.5, clock=clock)
    called = call_times(clock, [Caller(clock.now, limits, PROFILE)] * 3, lambda: late)
    assert 3.5 < called[2] - called[0] < 4.5


def test_after_a_429_the_endpoint_pauses_and_goes_on_steadily() -> None:
    clock = Clock()
    limits = LocalRateLimiter(clock=clock)
    limits.pause(MENUS, 3)
    assert not limits.try_acquire(MENUS)
    held = clock.now
    called = times(limits, clock, MENUS, [0.0] * 15)
    assert 3 <= called[0] - held < 3.2
    assert all(0.08 < later - earlier < 0.2 for earlier, later in pairwise(called))


async def test_tasks_wait_their_turn_while_others_run() -> None:
    limits = LocalRateLimiter(50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(limits.acquire_async(PROFILE) for _ in range(20)))
    assert loop.time() - began > 0.2
