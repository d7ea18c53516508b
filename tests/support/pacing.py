"""Callers of LINE in a time of their own: who calls when, under given limits."""

from __future__ import annotations

import heapq
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from line_core.api.rate_limit.limiter import PacedRateLimiter

_ANSWER_SECONDS = 0.05
_LOOK_SECONDS = 0.01
# A clock of floats can stand still for less.
_SHORTEST = 1e-6


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Caller(NamedTuple):
    """Wants to call an endpoint from a time on."""

    at: float
    limits: PacedRateLimiter
    endpoint: str
    calls: int = 1
    """How often, the next time when the answer to the last has come."""


@dataclass
class SlowRun:
    """Has work done that takes a while."""

    clock: Clock
    seconds: float
    under_way: list[tuple[float, Callable[[], None], Future[None]]] = field(default_factory=list)

    def __call__(self, work: Callable[[], None]) -> Future[None]:
        """Begin a piece of work."""
        future: Future[None] = Future()
        self.under_way.append((self.clock.now + self.seconds, work, future))
        return future

    def go_on(self) -> None:
        """Finish what has taken its time."""
        while self.under_way and self.under_way[0][0] <= self.clock.now:
            _, work, future = self.under_way.pop(0)
            work()
            future.set_result(None)


def call_times(
    clock: Clock,
    callers: Iterable[Caller],
    late: Callable[[], float] = lambda: 0.0,
    until: float = float("inf"),
    slow: SlowRun | None = None,
) -> list[float]:
    """When each call is made.

    Args:
        clock: What the limits go by.
        callers: Who calls.
        late: By how much somebody who sleeps is woken too late.
        until: Nobody calls after that.
        slow: What the limits have their asking done by, if it takes a while.
    """
    order = count()
    times: list[float] = []
    waking: list[tuple[float, int, Caller, Iterator[Future[None] | float] | None]] = []
    for caller in callers:
        heapq.heappush(waking, (caller.at, next(order), caller, None))
    while waking and waking[0][0] <= until:
        at, _, caller, begun = heapq.heappop(waking)
        clock.now = max(clock.now, at)
        if slow:
            slow.go_on()
        steps = begun or caller.limits.steps(caller.endpoint)
        step = next(steps, None)
        while isinstance(step, Future) and (step.done() or not slow):
            step.result()
            step = next(steps, None)
        if step is None:
            times.append(clock.now)
            if caller.calls > 1:
                again = caller._replace(calls=caller.calls - 1)
                heapq.heappush(waking, (clock.now + _ANSWER_SECONDS, next(order), again, None))
        else:
            seconds = _LOOK_SECONDS if isinstance(step, Future) else max(step, _SHORTEST) + late()
            heapq.heappush(waking, (clock.now + seconds, next(order), caller, steps))
    return times


def most_in(times: Sequence[float], seconds: float) -> int:
    """The most calls in any span of that length."""
    ordered = sorted(times)
    most, begin = 0, 0
    for end, time in enumerate(ordered):
        while time - ordered[begin] >= seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most
