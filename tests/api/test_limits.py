"""Pacing keeps LINE's limits."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from line_core.api import LocalLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE = "GET /v2/bot/profile/{userId}"
PUSH = "POST /v2/bot/message/push"
MENUS = "GET /v2/bot/richmenu/list"
INSIGHT = "GET /v2/bot/insight/followers"


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def places(limits: LocalLimits, clock: Clock, endpoint: str, gaps: Sequence[float]) -> list[float]:
    """When requests are sent that are made after each of the gaps."""
    times = []
    for gap in gaps:
        clock.now += gap
        times.append(clock.now + limits.reserve(endpoint))
    return times


def most_in(times: Sequence[float], seconds: float) -> int:
    """The most requests in any span of that length."""
    ordered = sorted(times)
    most, begin = 0, 0
    for end, time in enumerate(ordered):
        while time - ordered[begin] >= seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most


@given(st.lists(st.floats(min_value=0, max_value=0.4), min_size=1, max_size=60))
def test_no_second_ever_has_more_requests_than_the_limit(gaps: list[float]) -> None:
    clock = Clock()
    assert most_in(places(LocalLimits(clock=clock), clock, MENUS, gaps), 1) <= 10


def test_a_long_queue_goes_out_at_nearly_the_limit() -> None:
    clock = Clock()
    times = places(LocalLimits(clock=clock), clock, PROFILE, [0.0] * 20_000)
    assert most_in(times, 1) <= 2000
    assert 20_000 / (times[-1] - times[0]) > 1950


def test_what_was_missed_is_caught_up_with_and_no_second_has_more_than_the_limit() -> None:
    clock = Clock()
    limits = LocalLimits(clock=clock)
    times = places(limits, clock, PROFILE, [0.0] * 1000)
    clock.now = times[-1] + 0.3
    times += places(limits, clock, PROFILE, [0.0] * 3000)
    assert most_in(times, 1) <= 2000
    assert times[1500] - times[1000] < 0.25


def test_an_hour_s_calls_may_go_at_once_and_then_none_for_an_hour() -> None:
    clock = Clock()
    limits = LocalLimits(clock=clock)
    assert [limits.take(INSIGHT) for _ in range(61)] == [True] * 60 + [False]
    clock.now += 3599
    assert not limits.take(INSIGHT)
    clock.now += 60
    assert limits.take(INSIGHT)


def test_endpoints_do_not_wait_for_each_other() -> None:
    clock = Clock()
    limits = LocalLimits(clock=clock)
    for _ in range(10_000):
        limits.reserve(PROFILE)
    assert limits.reserve(PUSH) == 0


def test_the_setting_bounds_all_endpoints_together() -> None:
    clock = Clock()
    limits = LocalLimits(5, clock=clock)
    times = [clock.now + limits.reserve(endpoint) for endpoint in (PROFILE, PUSH) * 10]
    assert most_in(times, 1) <= 5
    assert times[-1] - times[0] > 3


def test_less_than_one_request_a_second_can_be_asked_for() -> None:
    clock = Clock()
    times = places(LocalLimits(0.5, clock=clock), clock, PROFILE, [0.0] * 3)
    assert times[2] - times[0] > 3.5


def test_after_a_429_the_endpoint_pauses_and_goes_on_steadily() -> None:
    clock = Clock()
    limits = LocalLimits(clock=clock)
    limits.hold(MENUS, 3)
    assert not limits.take(MENUS)
    waits = [limits.reserve(MENUS) for _ in range(5)]
    assert 3 <= waits[0] < 3.2
    assert all(0.09 < later - earlier < 0.12 for earlier, later in pairwise(waits))


async def test_tasks_wait_their_turn_while_others_run() -> None:
    limits = LocalLimits(50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(limits.wait_async(PROFILE) for _ in range(20)))
    assert loop.time() - began > 0.2
