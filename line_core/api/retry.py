"""Trying again: what may be tried again, and after how long."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, TypeVar

from line_core.api.errors import RateLimitError, ServerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_core.api.rate_limit.limiter import RateLimiter

DEFAULT_ATTEMPTS = 6

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0

T = TypeVar("T")

_logger = logging.getLogger("line.retry")


def pauses(attempts: int = DEFAULT_ATTEMPTS) -> Iterator[float]:
    """Seconds to wait before each attempt: none before the first, then doubling, each with jitter.

    Half of a pause is fixed and half is random, so that many clients that failed together do not come back together.
    """
    yield 0.0
    for attempt in range(attempts - 1):
        longest = min(_FIRST_SECONDS * 2**attempt, _LONGEST_SECONDS)
        yield random.uniform(longest / 2, longest)  # noqa: S311 - jitter, no secret


def slow_down(
    failure: UnreachableError | ServerError | RateLimitError, pause: float, rate_limiter: RateLimiter | None
) -> None:
    """Say that a request is tried again after a pause; after a 429 the whole endpoint pauses with it."""
    _logger.warning("%s; trying again in %.1f s", failure, pause)
    if rate_limiter and isinstance(failure, RateLimitError):
        rate_limiter.pause(failure.endpoint, pause)


def call_with_retries(
    attempt: Callable[[], T], *, rate_limiter: RateLimiter | None = None, attempts: int = DEFAULT_ATTEMPTS
) -> T:
    """Call until it succeeds, fails in a way that trying again cannot mend, or has failed too often.

    Args:
        attempt: Sends a request that may be sent again.
        rate_limiter: The channel's rate limits.
        attempts: Most calls.

    Raises:
        UnreachableError: The last attempt's transport failed.
        ServerError: The last attempt's answer was a 5xx.
        RateLimitError: The last attempt's answer was a 429.
    """
    failure: UnreachableError | ServerError | RateLimitError | None = None
    for pause in pauses(attempts):
        if failure:
            slow_down(failure, pause, rate_limiter)
            time.sleep(pause)
        try:
            return attempt()
        except (UnreachableError, ServerError, RateLimitError) as error:
            failure = error
    raise failure or AssertionError("there is at least one attempt")
