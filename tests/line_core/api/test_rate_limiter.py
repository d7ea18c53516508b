"""One process keeps LINE's rate limits."""

from __future__ import annotations

import asyncio
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rate_limiter_simulation import (
    InMemoryRateLimiter,
    SimulatedCaller,
    SimulatedClock,
    max_calls_in,
    simulate_calls,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE = "GET /v2/bot/profile/{userId}"
PUSH = "POST /v2/bot/message/push"
MENUS = "GET /v2/bot/richmenu/list"
INSIGHT = "GET /v2/bot/insight/followers"


def call_after_gaps(
    rate_limiter: InMemoryRateLimiter, clock: SimulatedClock, endpoint: str, gaps: Sequence[float]
) -> list[float]:
    """Start one caller after each gap in seconds; return the times of the calls."""
    callers = [SimulatedCaller(clock.now + at, rate_limiter, endpoint) for at in accumulate(gaps)]
    return simulate_calls(clock, callers)


@given(st.lists(st.floats(min_value=0, max_value=0.4), min_size=1, max_size=60))
def test_no_second_has_more_calls_than_the_limit(gaps: list[float]) -> None:
    clock = SimulatedClock()
    assert max_calls_in(call_after_gaps(InMemoryRateLimiter(clock=clock), clock, MENUS, gaps), 1) <= 10


def test_many_waiting_calls_run_at_nearly_the_limit() -> None:
    clock = SimulatedClock()
    called = call_after_gaps(InMemoryRateLimiter(clock=clock), clock, PROFILE, [0.0] * 20_000)
    assert max_calls_in(called, 1) <= 2000
    assert 20_000 / (called[-1] - called[0]) > 1950


def test_missed_calls_are_made_up_for_within_the_limit() -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(clock=clock)
    called = call_after_gaps(rate_limiter, clock, PROFILE, [0.0] * 1000)
    clock.now = called[-1] + 0.3
    called += call_after_gaps(rate_limiter, clock, PROFILE, [0.0] * 3000)
    assert max_calls_in(called, 1) <= 2000
    assert called[1500] - called[1000] < 0.25


def test_all_calls_of_an_hour_may_be_made_together_and_then_none_for_an_hour() -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(clock=clock)
    assert [rate_limiter.try_acquire(INSIGHT) for _ in range(61)] == [True] * 60 + [False]
    clock.now += 3599
    assert not rate_limiter.try_acquire(INSIGHT)
    clock.now += 90
    assert rate_limiter.try_acquire(INSIGHT)


def test_a_caller_that_waits_for_a_limit_per_hour_continues_when_a_permit_is_available() -> None:
    clock = SimulatedClock()
    called = call_after_gaps(InMemoryRateLimiter(clock=clock), clock, INSIGHT, [0.0] * 130)
    assert max_calls_in(called, 3600) <= 60
    assert 7200 < called[-1] - called[0] < 7400


def test_endpoints_have_separate_limits() -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(clock=clock)
    call_after_gaps(rate_limiter, clock, PROFILE, [0.0] * 1000)
    assert rate_limiter.try_acquire(PUSH)


def test_max_requests_per_second_bounds_all_endpoints_together() -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(5, clock=clock)
    callers = [SimulatedCaller(clock.now, rate_limiter, endpoint) for endpoint in (PROFILE, PUSH) * 10]
    called = simulate_calls(clock, callers)
    assert max_calls_in(called, 1) <= 5
    assert 3 < called[-1] - called[0] < 4.5


@pytest.mark.parametrize("lateness", [0.0, 0.03])
def test_max_requests_per_second_may_be_less_than_one(lateness: float) -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(0.5, clock=clock)
    called = simulate_calls(clock, [SimulatedCaller(clock.now, rate_limiter, PROFILE)] * 3, lambda: lateness)
    assert 3.5 < called[2] - called[0] < 4.5


def test_a_paused_endpoint_continues_at_a_steady_rate() -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(clock=clock)
    rate_limiter.pause(MENUS, 3)
    assert not rate_limiter.try_acquire(MENUS)
    paused_at = clock.now
    called = call_after_gaps(rate_limiter, clock, MENUS, [0.0] * 15)
    assert 3 <= called[0] - paused_at < 3.2
    assert all(0.08 < later - earlier < 0.2 for earlier, later in pairwise(called))


async def test_waiting_tasks_do_not_block_the_event_loop() -> None:
    rate_limiter = InMemoryRateLimiter(50)
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    await asyncio.gather(*(rate_limiter.acquire_async(PROFILE) for _ in range(20)))
    assert loop.time() - started_at > 0.2


@pytest.mark.parametrize("bound", [None, 5])
def test_calls_go_on_after_the_clock_is_set_back(bound: float | None) -> None:
    clock = SimulatedClock()
    rate_limiter = InMemoryRateLimiter(bound, clock=clock)
    call_after_gaps(rate_limiter, clock, MENUS, [0.0] * 30)
    rate_limiter.pause(MENUS, 30)
    clock.now -= 2 * 3600
    set_back_at = clock.now
    called = call_after_gaps(rate_limiter, clock, MENUS, [0.0] * 15)
    assert called[-1] - set_back_at < 70
