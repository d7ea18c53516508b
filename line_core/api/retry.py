"""The retry policy of all requests to LINE.

Requests are retried after transport failures, responses that are not LINE's, statuses of 500 and above, and rate
limits. tenacity would do the same
with more code around it: the pause that it draws would have to reach the rate limiter too, and the sender retries by
LINE's verdict on a message, not by exception.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from line_core.api.errors import ForeignResponseError, RateLimitError, ServerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_core.api.errors import ApiError
    from line_core.api.rate_limit.limiter import RateLimiter

RETRIABLE_ERRORS = (UnreachableError, ForeignResponseError, ServerError, RateLimitError)

T = TypeVar("T")

_logger = logging.getLogger("line.retry")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter."""

    attempts: int = 6
    first_pause_seconds: float = 0.5
    max_pause_seconds: float = 30.0

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each attempt: zero before the first, then a maximum that doubles.

        Half of each pause is random, so that clients that failed together do not retry together.
        """
        yield 0.0
        for retry in range(self.attempts - 1):
            longest = min(self.first_pause_seconds * 2**retry, self.max_pause_seconds)
            yield random.uniform(longest / 2, longest)  # noqa: S311 - not for cryptography


DEFAULT_RETRY_POLICY = RetryPolicy()


class Retries:
    """The retries of one request."""

    def __init__(self, rate_limiter: RateLimiter | None = None, policy: RetryPolicy = DEFAULT_RETRY_POLICY) -> None:
        self._rate_limiter = rate_limiter
        self._pauses = policy.pauses()
        next(self._pauses)

    def pause_after(self, failure: ApiError) -> float:
        """Return the seconds to wait before the next attempt. A rate limit pauses the whole endpoint for this time.

        Raises:
            ApiError: The failure, if no attempt is left.
        """
        seconds = next(self._pauses, None)
        if seconds is None:
            raise failure
        _logger.warning("%s; retrying in %.1f s", failure, seconds)
        if self._rate_limiter and isinstance(failure, RateLimitError):
            self._rate_limiter.pause(failure.endpoint, seconds)
        return seconds


def call_with_retries(
    call: Callable[[], T], *, rate_limiter: RateLimiter | None = None, policy: RetryPolicy = DEFAULT_RETRY_POLICY
) -> T:
    """Call a function that sends a request, and retry it by the policy.

    Raises:
        ApiError: The last failure, or one that is not retried.
    """
    retries = Retries(rate_limiter, policy)
    while True:
        try:
            return call()
        except RETRIABLE_ERRORS as failure:
            time.sleep(retries.pause_after(failure))
