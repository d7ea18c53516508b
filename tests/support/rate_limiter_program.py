"""Calls of LINE as fast as a shared rate limiter allows, in a process of their own."""

from __future__ import annotations

import asyncio
import time

from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.store import open_store


async def acquire_all(rate_limiter: SharedRateLimiter, endpoint: str, calls: int) -> list[float]:
    """Make `calls` calls, each in its own task, and return their times."""
    times: list[float] = []

    async def acquire() -> None:
        await rate_limiter.acquire_async(endpoint)
        times.append(time.time())

    await asyncio.gather(*(acquire() for _ in range(calls)))
    return times


def make_calls(store_url: str, endpoint: str, calls: int, method: str) -> list[float]:
    """Make `calls` calls, and return the time of each.

    Args:
        store_url: URL of a store.
        endpoint: Method and path template.
        calls: Number of calls.
        method: `acquire`, or `try_acquire` to make only the calls that can be made at once.
    """
    with open_store(store_url) as store, SharedRateLimiter(store, "main") as rate_limiter:
        if method == "acquire":
            return asyncio.run(acquire_all(rate_limiter, endpoint, calls))
        return [time.time() for _ in range(calls) if rate_limiter.try_acquire(endpoint)]
