"""Pacing: ask LINE no faster than it allows, and slow down when it says so.

LINE counts per channel and endpoint (method and path template), whatever the parameters, body or caller. Its buckets
refill gradually and their sizes are not published, so limits per second are kept strictly: never more calls in any
second than the limit, saved-up ones included.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Protocol

from line_core.api.limits_table import rate_limit_of

if TYPE_CHECKING:
    from collections.abc import Callable


# Of a limit a second, this share is used steadily, and this much may be saved up; the rest allows for rounding.
_STEADY_SHARE = 0.98
_SAVED_SHARE = 0.0199


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
        """Begin with full buckets.

        Args:
            max_requests_per_second: An upper bound over all endpoints, below LINE's own.
            clock: Seconds that never go back.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._overall = _Bucket(max_requests_per_second, 1) if max_requests_per_second else None

    def reserve(self, endpoint: str) -> float:
        """Take the endpoint's next place; returns the seconds until it comes."""
        with self._lock:
            now = self._clock()
            wait = self._bucket(endpoint).reserve(now)
            return max(wait, self._overall.reserve(now)) if self._overall else wait

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
            bucket = self._bucket(endpoint)
            if not bucket.is_free(now):
                return False
            bucket.reserve(now)
            return True

    def hold(self, endpoint: str, seconds: float) -> None:
        """Give out no place of the endpoint before that time has passed."""
        with self._lock:
            self._bucket(endpoint).hold(self._clock() + seconds)

    def _bucket(self, endpoint: str) -> _Bucket:
        bucket = self._buckets.get(endpoint)
        if bucket is None:
            limit = rate_limit_of(endpoint)
            bucket = self._buckets[endpoint] = _Bucket(limit.calls, limit.seconds)
        return bucket


class _Bucket:
    """A token bucket, kept as the time at which it will be full again."""

    def __init__(self, calls: float, seconds: float) -> None:
        if seconds <= 1:
            self._interval = seconds / (calls * _STEADY_SHARE)
            self._tolerance = calls * _SAVED_SHARE * self._interval
        else:
            self._interval = seconds / calls
            self._tolerance = (calls - 1) * self._interval
        self._full_at = float("-inf")

    def is_free(self, now: float) -> bool:
        """Whether a place can be had without waiting."""
        return self._full_at - self._tolerance <= now

    def reserve(self, now: float) -> float:
        """Take the next place; returns the seconds until it comes."""
        full_at = max(self._full_at, now)
        self._full_at = full_at + self._interval
        return max(0.0, full_at - self._tolerance - now)

    def hold(self, until: float) -> None:
        """Have no place before then, and none saved up."""
        self._full_at = max(self._full_at, until + self._tolerance)
