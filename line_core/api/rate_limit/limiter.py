"""The rate limiter of one channel: waits before each call, so that LINE's rate limits are kept.

LINE counts per channel and endpoint (method and path template), whatever the parameters, body or caller.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from line_core.api.rate_limit.endpoint_limiter import EndpointLimiter
from line_core.api.rate_limit.schedule import GCRA_TOLERANCE, schedule_of
from line_core.api.rate_limit.table import rate_limit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from line_core.api.rate_limit.endpoint_limiter import PermitSource, Submit


class RateLimiter(Protocol):
    """Grants permits for calls, for one channel. Safe to share between threads."""

    def acquire(self, endpoint: str) -> None:
        """Sleep until the endpoint may be called."""

    async def acquire_async(self, endpoint: str) -> None:
        """Wait until the endpoint may be called; other tasks run meanwhile."""

    def try_acquire(self, endpoint: str) -> bool:
        """Return whether the endpoint may be called now; if so, the call is counted."""

    def pause(self, endpoint: str, seconds: float) -> None:
        """Grant no permit of the endpoint for `seconds`, in every process: LINE answered 429."""


class LeasingRateLimiter:
    """A rate limiter whose permits come from a `PermitSource`."""

    def __init__(self, source: PermitSource, submit: Submit, max_requests_per_second: float | None = None) -> None:
        """Start without permits.

        Args:
            source: Grants the permits.
            submit: Runs the requests for permits.
            max_requests_per_second: An upper bound over all endpoints, for this process alone.
        """
        self._source = source
        self._submit = submit
        self._lock = threading.Lock()
        self._endpoints: dict[str, EndpointLimiter] = {}
        self._bound = _Bound(max_requests_per_second) if max_requests_per_second else None

    def steps(self, endpoint: str) -> Generator[Future[None] | float]:
        """Yield the waits before a call: a future to wait for, or a time in seconds to sleep. Then count the call."""
        limiter = self._limiter(endpoint)
        while True:
            if self._bound:
                yield from self._bound.steps(self._source.now)
            if (yield from limiter.steps()):
                return

    def acquire(self, endpoint: str) -> None:
        for step in self.steps(endpoint):
            if isinstance(step, Future):
                step.result()
            else:
                time.sleep(step)

    async def acquire_async(self, endpoint: str) -> None:
        for step in self.steps(endpoint):
            if isinstance(step, Future):
                await asyncio.shield(asyncio.wrap_future(step))
            else:
                await asyncio.sleep(step)

    def try_acquire(self, endpoint: str) -> bool:
        return self._limiter(endpoint).try_acquire()

    def pause(self, endpoint: str, seconds: float) -> None:
        self._limiter(endpoint).pause(seconds)

    def _limiter(self, endpoint: str) -> EndpointLimiter:
        with self._lock:
            limiter = self._endpoints.get(endpoint)
            if limiter is None:
                schedule = schedule_of(rate_limit_of(endpoint))
                admit = self._bound.try_acquire if self._bound else _admit_all
                limiter = EndpointLimiter(endpoint, schedule, self._source, self._submit, admit)
                self._endpoints[endpoint] = limiter
        return limiter


class _Bound:
    """`max_requests_per_second` over all endpoints, by GCRA. It may be less than one."""

    def __init__(self, calls_per_second: float) -> None:
        self._interval = (1 + GCRA_TOLERANCE) / calls_per_second
        self._tolerance = GCRA_TOLERANCE * max(1.0, 1 / calls_per_second)
        self._next_at = 0.0
        self._waiting = 0
        self._lock = threading.Lock()

    def steps(self, clock: Callable[[], float]) -> Generator[float]:
        """Yield times in seconds to sleep, until a call may be made. Does not count the call."""
        with self._lock:
            ahead, self._waiting = self._waiting, self._waiting + 1
        try:
            while (seconds := self._wait(clock()) + ahead * self._interval) > 0:
                yield seconds
                ahead = 0
        finally:
            with self._lock:
                self._waiting -= 1

    def _wait(self, now: float) -> float:
        """Return seconds until the next call may be made; negative if it may be made now."""
        if self._next_at > now + self._interval + self._tolerance:  # the clock was set back
            self._next_at = now
        return self._next_at - self._tolerance - now

    def try_acquire(self, now: float) -> bool:
        """Count a call and return True, or return False if it would be too early."""
        with self._lock:
            if self._wait(now) > 0:
                return False
            self._next_at = max(self._next_at, now) + self._interval
            return True


def _admit_all(_: float) -> bool:
    return True
