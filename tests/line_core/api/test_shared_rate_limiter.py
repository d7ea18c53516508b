"""All processes on one store keep LINE's rate limits together."""

from __future__ import annotations

import uuid
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, make_url, text

from line_core.api.rate_limit.limiter import LeasingRateLimiter
from line_core.api.rate_limit.shared import SharedRateLimiter, StorePermitSource
from line_core.api.rate_limit.table import rate_limit_of
from line_core.errors import StoreError
from line_core.store import Store, open_store, upgrade_store
from line_core.store.schema import alembic_config
from tests.support import programs
from tests.support.rate_limiter_program import make_calls
from tests.support.rate_limiter_simulation import (
    DelayedSubmit,
    SimulatedCaller,
    SimulatedClock,
    max_calls_in,
    simulate_calls,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Connection

PUSH = "POST /v2/bot/message/push"
COUPONS = "GET /v2/bot/coupon"
MENUS = "GET /v2/bot/richmenu/list"
INSIGHT = "GET /v2/bot/insight/followers"
AUDIENCES = "GET /v2/bot/audienceGroup/list"


@pytest.fixture(scope="module")
def module_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all tests; each test uses its own channel."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('rate-limiter') / 'store.db'}") as store:
        yield store


@given(
    endpoint=st.sampled_from([MENUS, COUPONS, AUDIENCES, INSIGHT]),
    gaps=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 0.02)), min_size=1, max_size=80),
    lateness=st.lists(st.floats(0, 0.05), min_size=1, max_size=10),
)
@settings(max_examples=40)
def test_no_span_has_more_calls_than_the_limit_with_late_callers_in_three_processes(
    module_store: Store, endpoint: str, gaps: list[tuple[int, float]], lateness: list[float]
) -> None:
    clock, channel = SimulatedClock(), str(uuid.uuid4())
    limit = rate_limit_of(endpoint)
    processes = [SharedRateLimiter(module_store, channel, clock=clock) for _ in range(3)]
    at, callers = clock.now, []
    for process, gap in gaps:
        at += gap * limit.seconds
        callers += [SimulatedCaller(at, processes[process], endpoint)] * 3
    late = iter(lateness * 10_000)
    called = simulate_calls(clock, callers, lambda: next(late) * limit.seconds)
    assert len(called) == len(callers)
    assert max_calls_in(called, limit.seconds) <= limit.calls
    for shared in processes:
        shared.close()


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 3000)), min_size=1, max_size=8))
@settings(max_examples=15)
def test_a_new_process_continues_with_the_calls_that_the_hour_has_left(
    module_store: Store, runs: list[tuple[int, float]]
) -> None:
    clock, channel = SimulatedClock(), str(uuid.uuid4())
    called = []
    for wanted, pause in runs:
        with SharedRateLimiter(module_store, channel, clock=clock) as rate_limiter:
            called += [clock.now for _ in range(wanted) if rate_limiter.try_acquire(INSIGHT)]
        clock.now += pause
    assert max_calls_in(called, 3600) <= 60
    assert len(called) >= min(60, sum(wanted for wanted, _ in runs))


def test_thousands_of_calls_per_second_need_a_few_transactions(store: Store) -> None:
    clock = SimulatedClock()
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    delayed = DelayedSubmit(clock, 0.01)
    rate_limiter = LeasingRateLimiter(StorePermitSource(store, "main", clock), delayed)
    called = simulate_calls(clock, [SimulatedCaller(clock.now, rate_limiter, PUSH)] * 10_000, delayed=delayed)
    seconds = called[-1] - called[0]
    assert max_calls_in(called, 1) <= 2000
    assert 10_000 / seconds > 1950
    assert len(commits) < 6 * seconds + 12


def test_two_processes_share_a_limit_without_losing_throughput(module_store: Store) -> None:
    clock = SimulatedClock()
    with (
        SharedRateLimiter(module_store, "both", clock=clock) as one,
        SharedRateLimiter(module_store, "both", clock=clock) as other,
    ):
        callers = [
            SimulatedCaller(clock.now, rate_limiter, PUSH, calls=100)
            for rate_limiter in (one, other)
            for _ in range(200)
        ]
        called = simulate_calls(clock, callers, until=clock.now + 4)
    assert max_calls_in(called, 1) <= 2000
    assert len(called) > 4 * 1900


class CountingRateLimiter(SharedRateLimiter):
    """Counts its calls."""

    calls = 0

    def steps(self, endpoint: str) -> Generator[Future[None] | float]:
        yield from super().steps(endpoint)
        self.calls += 1


@pytest.mark.parametrize("endpoint", [PUSH, COUPONS])
def test_a_process_that_starts_later_gets_an_equal_share(module_store: Store, endpoint: str) -> None:
    clock, channel = SimulatedClock(), str(uuid.uuid4())
    with (
        CountingRateLimiter(module_store, channel, clock=clock) as first,
        CountingRateLimiter(module_store, channel, clock=clock) as second,
    ):
        callers = [SimulatedCaller(clock.now, first, endpoint, calls=1000)] * 200
        callers += [SimulatedCaller(clock.now + 1, second, endpoint, calls=1000)] * 200
        simulate_calls(clock, callers, until=clock.now + 2)
        calls_before = first.calls, second.calls
        simulate_calls(clock, callers, until=clock.now + 4)
        first_calls, second_calls = first.calls - calls_before[0], second.calls - calls_before[1]
    assert first_calls == pytest.approx(second_calls, rel=0.15)


class DelayedPermitSource(StorePermitSource):
    """Grants permits for a time 2.5 seconds ago."""

    def _now(self, connection: Connection) -> float:
        return super()._now(connection) - 2.5


def test_a_slow_store_reduces_the_rate_and_never_exceeds_the_limit(module_store: Store) -> None:
    clock = SimulatedClock()
    delayed = DelayedSubmit(clock, 2.5)
    rate_limiter = LeasingRateLimiter(DelayedPermitSource(module_store, "slow", clock), delayed)
    called = simulate_calls(clock, [SimulatedCaller(clock.now, rate_limiter, PUSH, calls=20)] * 200, delayed=delayed)
    assert len(called) == 4000
    assert max_calls_in(called, 1) <= 2000
    assert called[-1] - called[0] < 30


def test_a_429_pauses_all_processes(store: Store) -> None:
    clock = SimulatedClock()
    with SharedRateLimiter(store, "main", clock=clock) as one, SharedRateLimiter(store, "main", clock=clock) as other:
        simulate_calls(clock, [SimulatedCaller(clock.now, rate_limiter, COUPONS) for rate_limiter in (one, other) * 50])
        paused_at = clock.now
        one.pause(COUPONS, 5)
        one.pause(INSIGHT, 600)
        one._executor.submit(int).result()  # wait for the submitted pauses
        assert not other.try_acquire(INSIGHT)
        called = simulate_calls(
            clock, [SimulatedCaller(clock.now, rate_limiter, COUPONS) for rate_limiter in (one, other) * 300]
        )
    early = [time for time in called if time < paused_at + 5]
    assert len(early) <= 100
    assert max(early, default=paused_at) < paused_at + 0.6
    after_pause = [time for time in called if time >= paused_at + 5]
    assert max_calls_in(after_pause, 0.1) <= 22


def test_channels_have_separate_limits(store: Store) -> None:
    with SharedRateLimiter(store, "main") as one, SharedRateLimiter(store, "second") as other:
        assert all(one.try_acquire(INSIGHT) for _ in range(60))
        assert not one.try_acquire(INSIGHT)
        assert other.try_acquire(INSIGHT)


def test_a_failing_store_raises_an_error_for_waiting_callers(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with store.write() as connection:
        connection.exec_driver_sql("DROP TABLE rate_limits")
    with SharedRateLimiter(store, "main") as rate_limiter, pytest.raises(StoreError, match="rate_limits"):
        rate_limiter.acquire(PUSH)
    store.close()


def test_an_upgrade_replaces_the_limits_of_the_previous_schema(empty_database_url: str) -> None:
    engine = create_engine(make_url(empty_database_url))
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        values = f"'main', '{INSIGHT}', '{{\"given\": [], \"held\": 0, \"askers\": {{}}}}'"
        connection.execute(text(f"INSERT INTO rate_limits (channel, endpoint, calendar) VALUES ({values})"))
    engine.dispose()
    upgrade_store(empty_database_url)
    with open_store(empty_database_url) as store, SharedRateLimiter(store, "main") as rate_limiter:
        assert [rate_limiter.try_acquire(INSIGHT) for _ in range(61)] == [True] * 60 + [False]


def run_two_processes(store_url: str, endpoint: str, calls: int, method: str) -> list[float]:
    """Run two processes concurrently; return the times of all calls."""
    with ProcessPoolExecutor(2, programs.fork_server()) as processes:
        runs = [processes.submit(make_calls, store_url, endpoint, calls, method) for _ in range(2)]
        return [time for run in runs for time in run.result(timeout=60)]


def test_two_operating_system_processes_keep_a_limit_per_second(store_url: str) -> None:
    called = run_two_processes(store_url, COUPONS, 250, "acquire")
    assert len(called) == 500
    assert max_calls_in(called, 0.9) <= 200  # less than a second: a process may record the time of a call a little late


def test_two_operating_system_processes_keep_a_limit_per_hour(store_url: str) -> None:
    assert len(run_two_processes(store_url, INSIGHT, 50, "try_acquire")) == 60
    assert run_two_processes(store_url, INSIGHT, 50, "try_acquire") == []
