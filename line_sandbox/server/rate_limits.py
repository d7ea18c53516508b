"""LINE's rate limits as token buckets on the sandbox's clock; each bucket starts full.

Source: LINE Messaging API reference, "Rate limits". LINE does not publish its bucket sizes; here the size is the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.api.rate_limit.table import rate_limit_of
from line_sandbox.foundation.api_errors import TooManyRequests

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

_ROUNDING_SECONDS = 1e-6


class RateLimits:
    """One token bucket for each endpoint."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """The time when each bucket is full again, in seconds since 1970; each request adds the refill time of one."""

    def take(self, endpoint: str) -> None:
        """Take one token from the bucket of an endpoint.

        Raises:
            TooManyRequests: The bucket is empty.
        """
        limit = rate_limit_of(endpoint)
        now = self._clock.now()
        full_at = max(now, self._full_at.get(endpoint, now)) + limit.seconds / limit.calls
        if full_at > now + limit.seconds + _ROUNDING_SECONDS:
            raise TooManyRequests.for_rate_limit()
        self._full_at[endpoint] = full_at
