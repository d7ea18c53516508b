"""LINE's rate limits as token buckets on the sandbox's clock: full at first, refilled gradually.

Source: LINE Messaging API reference, "Rate limits"; the size of LINE's buckets is not published, here it is the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.api.rate_limit.table import rate_limit_of
from line_sandbox.foundation.api_errors import TooManyRequests

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

_ROUNDING = 1e-6


class RateLimits:
    """A bucket for each endpoint."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, endpoint: str) -> None:
        """Count a call.

        Raises:
            TooManyRequests: The bucket is empty.
        """
        limit = rate_limit_of(endpoint)
        now = self._clock.now()
        # A bucket is the time at which it will be full: every call moves it one refill further.
        full_at = max(now, self._full_at.get(endpoint, now)) + limit.seconds / limit.calls
        if full_at > now + limit.seconds + _ROUNDING:
            raise TooManyRequests.for_rate_limit()
        self._full_at[endpoint] = full_at
