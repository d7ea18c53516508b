"""A process that calls LINE as fast as a shared rate limiter allows. It prints the time of each call, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
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


def main() -> None:
    """Arguments: store URL, endpoint, number of calls, `acquire` or `try_acquire`."""
    store_url, endpoint, calls, method = sys.argv[1:]
    with open_store(store_url) as store, SharedRateLimiter(store, "main") as rate_limiter:
        if method == "acquire":
            times = asyncio.run(acquire_all(rate_limiter, endpoint, int(calls)))
        else:
            times = [time.time() for _ in range(int(calls)) if rate_limiter.try_acquire(endpoint)]
    print(json.dumps(times))  # noqa: T201 - the program's output


if __name__ == "__main__":
    main()
