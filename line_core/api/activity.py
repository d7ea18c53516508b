"""What the requests of a client are waiting for, as short texts for log lines."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOW_SECONDS = 1.0


class ClientActivity:
    """The requests of a client that wait: for a permit, for LINE's response, or for their next attempt."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without requests.

        Args:
            clock: Returns seconds.
        """
        self._clock = clock
        self._waiting: Counter[str] = Counter()
        self._unanswered: dict[int, tuple[str, float]] = {}
        self._pausing: dict[int, tuple[str, str, float]] = {}
        self._last = 0

    @property
    def unanswered(self) -> int:
        """Number of requests on the wire."""
        return len(self._unanswered)

    @contextmanager
    def waiting_for_permit(self, endpoint: str) -> Iterator[None]:
        """Count a request that waits for the rate limiter."""
        self._waiting[endpoint] += 1
        try:
            yield
        finally:
            self._waiting[endpoint] -= 1

    @contextmanager
    def waiting_for_response(self, endpoint: str) -> Iterator[None]:
        """Count a request that LINE has not answered yet."""
        self._last += 1
        number = self._last
        self._unanswered[number] = endpoint, self._clock()
        try:
            yield
        finally:
            del self._unanswered[number]

    @contextmanager
    def pausing(self, endpoint: str, reason: str, seconds: float) -> Iterator[None]:
        """Count a request that waits for its next attempt.

        Args:
            endpoint: Method and path template.
            reason: Why it is repeated, such as `status 429, attempt 2 of 6`.
            seconds: Duration of the pause.
        """
        self._last += 1
        number = self._last
        self._pausing[number] = endpoint, reason, self._clock() + seconds
        try:
            yield
        finally:
            del self._pausing[number]

    def describe(self) -> list[str]:
        """Return a text for each endpoint and each cause of waiting. Requests in the first second are left out."""
        now = self._clock()
        return [*self._describe_unanswered(now), *self._describe_pauses(now), *self._describe_permits()]

    def _describe_unanswered(self, now: float) -> Iterator[str]:
        oldest: dict[str, float] = {}
        counts: Counter[str] = Counter()
        for endpoint, since in self._unanswered.values():
            if now - since >= _SLOW_SECONDS:
                counts[endpoint] += 1
                oldest.setdefault(endpoint, now - since)
        for endpoint, seconds in oldest.items():
            yield f"{counts[endpoint]:,} requests {endpoint} without a response for up to {seconds:,.0f} s"

    def _describe_pauses(self, now: float) -> Iterator[str]:
        until: dict[tuple[str, str], float] = {}
        counts: Counter[tuple[str, str]] = Counter()
        for endpoint, reason, end in self._pausing.values():
            counts[endpoint, reason] += 1
            until[endpoint, reason] = min(end, until.get((endpoint, reason), end))
        for (endpoint, reason), end in until.items():
            yield f"{counts[endpoint, reason]:,} requests {endpoint} after {reason}, next in {max(end - now, 0):,.0f} s"

    def _describe_permits(self) -> Iterator[str]:
        for endpoint, count in self._waiting.items():
            if count:
                yield f"the rate limit of {endpoint} ({count:,} requests)"
