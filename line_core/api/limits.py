"""Pacing: ask LINE no faster than it allows, and slow down when it says so.

LINE counts per channel and endpoint (method and path template), whatever the parameters, body or caller. Its buckets
refill gradually and their sizes are not published, so a limit is kept strictly: in no span of its length are there more
calls than it allows. What a busy machine has missed it may catch up with inside such a span.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from line_core.api.limits_table import rate_limit_of

if TYPE_CHECKING:
    from collections.abc import Callable


# A little longer than LINE's span, since requests do not arrive exactly as they were sent.
_SPAN_MARGIN = 1.01
# Of a limit a second, how much faster than steadily calls may follow each other while they catch up.
_CATCH_UP = 1.25


class Limits(Protocol):
    """Gives out places to send in, for one channel. Safe to share between threads.

    An implementation that many processes share may ask its store for places in batches.
    """

    def wait(self, endpoint: str) -> None:
        """Take the endpoint's next place and sleep until it comes."""

    async def wait_async(self, endpoint: str) -> None:
        """Take the endpoint's next place and let other tasks run until it comes."""

    def take(self, endpoint: str) -> bool:
        """Take a place that is free now; tells whether there was one."""

    def hold(self, endpoint: str, seconds: float) -> None:
        """LINE answered 429: give out no place before that time has passed."""


class LocalLimits:
    """The limits of one channel in one process."""

    def __init__(
        self, max_requests_per_second: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing called.

        Args:
            max_requests_per_second: An upper bound over all endpoints, below LINE's own.
            clock: Seconds that never go back.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, list[_Window]] = {}
        self._overall = [_Window(max_requests_per_second, 1)] if max_requests_per_second else []

    def reserve(self, endpoint: str) -> float:
        """Take the endpoint's next place; returns the seconds until it comes."""
        with self._lock:
            now = self._clock()
            windows = self._windows_of(endpoint)
            at = max(window.next(now) for window in windows)
            for window in windows:
                window.take(at)
            return at - now

    def wait(self, endpoint: str) -> None:
        """Take the endpoint's next place and sleep until it comes."""
        if (seconds := self.reserve(endpoint)) > 0:
            time.sleep(seconds)

    async def wait_async(self, endpoint: str) -> None:
        """Take the endpoint's next place and let other tasks run until it comes."""
        if (seconds := self.reserve(endpoint)) > 0:
            await asyncio.sleep(seconds)

    def take(self, endpoint: str) -> bool:
        """Take a place that is free now; tells whether there was one."""
        with self._lock:
            now = self._clock()
            windows = self._windows_of(endpoint)
            if any(window.next(now) > now for window in windows):
                return False
            for window in windows:
                window.take(now)
            return True

    def hold(self, endpoint: str, seconds: float) -> None:
        """Give out no place of the endpoint before that time has passed."""
        with self._lock:
            self._windows_of(endpoint)[0].hold(self._clock() + seconds)

    def _windows_of(self, endpoint: str) -> list[_Window]:
        windows = self._windows.get(endpoint)
        if windows is None:
            limit = rate_limit_of(endpoint)
            windows = [_Window(limit.calls, limit.seconds), *self._overall]
            self._windows[endpoint] = windows
        return windows


class _Window:
    """The last calls, as many as a span may hold: another has its place a span after the first of them."""

    def __init__(self, calls: float, seconds: float) -> None:
        """Begin with nothing called.

        Args:
            calls: How many calls a span may have; less than one means one in a longer span.
            seconds: The span's length.
        """
        most = max(1, int(calls))
        self._span = seconds * most / calls * _SPAN_MARGIN
        self._spacing = self._span / most / _CATCH_UP if seconds <= 1 else 0.0
        self._times: deque[float] = deque(maxlen=most)
        self._not_before = float("-inf")

    def next(self, now: float) -> float:
        """When the next place is."""
        at = max(now, self._not_before)
        if self._times:
            at = max(at, self._times[-1] + self._spacing)
        if len(self._times) == self._times.maxlen:
            at = max(at, self._times[0] + self._span)
        return at

    def take(self, at: float) -> None:
        """Take a place that `next` told of."""
        self._times.append(at)

    def hold(self, until: float) -> None:
        """Have no place before then, and go on steadily: LINE's bucket is empty."""
        self._not_before = max(self._not_before, until)
        most = self._times.maxlen or 1
        steadily = self._span / most
        self._times.extend(until - self._span + number * steadily for number in range(most))
