"""Simulated callers of LINE on a simulated clock, and a rate limiter without a store."""

from __future__ import annotations

import heapq
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from line_core.api.rate_limit.endpoint_limiter import Lease
from line_core.api.rate_limit.limiter import LeasingRateLimiter
from line_core.api.rate_limit.schedule import LimitState

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from line_core.api.rate_limit.schedule import Schedule

_RESPONSE_SECONDS = 0.05
_POLL_SECONDS = 0.01
# A clock of floats may not advance by less.
_MIN_SLEEP_SECONDS = 1e-6


class InMemoryPermitSource:
    """Grants permits to one process, without a store."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.now = clock
        self._states: dict[str, LimitState] = {}

    def lease(self, endpoint: str, schedule: Schedule, wanted: int, lead_seconds: float) -> Lease:
        state, now = self._state(endpoint), self.now()
        permits = schedule.grant(state, "process", now, wanted, lead_seconds)
        available_at = schedule.available_at(state, now)
        return Lease(now, permits, schedule.max_permits(state), state.paused_until, available_at)

    def pause(self, endpoint: str, schedule: Schedule, until: float) -> None:
        schedule.pause(self._state(endpoint), until)

    def _state(self, endpoint: str) -> LimitState:
        return self._states.setdefault(endpoint, LimitState())


class InMemoryRateLimiter(LeasingRateLimiter):
    """The rate limiter of one process, without a store."""

    def __init__(
        self, max_requests_per_second: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(InMemoryPermitSource(clock), submit_immediately, max_requests_per_second)


def submit_immediately(function: Callable[[], None]) -> Future[None]:
    """Call a function in this thread and return its completed future."""
    future: Future[None] = Future()
    try:
        function()
        future.set_result(None)
    except Exception as error:  # noqa: BLE001 - raised by the future
        future.set_exception(error)
    return future


class SimulatedClock:
    """A clock that advances only when `now` is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SimulatedCaller(NamedTuple):
    """Calls an endpoint from a time on."""

    at: float
    rate_limiter: LeasingRateLimiter
    endpoint: str
    calls: int = 1
    """Number of calls; each one starts after the response to the one before."""


@dataclass
class DelayedSubmit:
    """Runs each submitted function after a simulated delay in seconds."""

    clock: SimulatedClock
    seconds: float
    in_flight: list[tuple[float, Callable[[], None], Future[None]]] = field(default_factory=list)

    def __call__(self, function: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()
        self.in_flight.append((self.clock.now + self.seconds, function, future))
        return future

    def run_due(self) -> None:
        """Run the functions whose delay is over."""
        while self.in_flight and self.in_flight[0][0] <= self.clock.now:
            _, function, future = self.in_flight.pop(0)
            function()
            future.set_result(None)


def simulate_calls(
    clock: SimulatedClock,
    callers: Iterable[SimulatedCaller],
    lateness: Callable[[], float] = lambda: 0.0,
    until: float = float("inf"),
    delayed: DelayedSubmit | None = None,
) -> list[float]:
    """Run callers to their end and return the time of each call, ascending.

    Args:
        clock: The clock of the rate limiters.
        callers: All callers.
        lateness: Returns by how many seconds the next sleeping caller wakes up too late.
        until: End of the simulation.
        delayed: The rate limiters' `submit`, if it delays.
    """
    order = count()
    times: list[float] = []
    queue: list[tuple[float, int, SimulatedCaller, Generator[Future[None] | float] | None]] = []
    for caller in callers:
        heapq.heappush(queue, (caller.at, next(order), caller, None))
    while queue and queue[0][0] <= until:
        at, _, caller, started = heapq.heappop(queue)
        clock.now = max(clock.now, at)
        if delayed:
            delayed.run_due()
        steps = started or caller.rate_limiter.steps(caller.endpoint)
        step = next(steps, None)
        while isinstance(step, Future) and (step.done() or not delayed):
            step.result()
            step = next(steps, None)
        if step is None:
            times.append(clock.now)
            if caller.calls > 1:
                next_call = caller._replace(calls=caller.calls - 1)
                heapq.heappush(queue, (clock.now + _RESPONSE_SECONDS, next(order), next_call, None))
        else:
            seconds = _POLL_SECONDS if isinstance(step, Future) else max(step, _MIN_SLEEP_SECONDS) + lateness()
            heapq.heappush(queue, (clock.now + seconds, next(order), caller, steps))
    return times


def max_calls_in(times: Sequence[float], seconds: float) -> int:
    """Return the largest number of calls in any time span of `seconds`."""
    ordered = sorted(times)
    largest, start = 0, 0
    for end, call in enumerate(ordered):
        while call - ordered[start] >= seconds:
            start += 1
        largest = max(largest, end - start + 1)
    return largest
