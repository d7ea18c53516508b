"""A process that calls LINE as fast as it may, under limits that it shares: prints when each call was made."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.store import open_store


async def call(limits: SharedRateLimiter, endpoint: str, calls: int) -> list[float]:
    """Make so many calls, in as many tasks."""
    times: list[float] = []

    async def one() -> None:
        await limits.acquire_async(endpoint)
        times.append(time.time())

    await asyncio.gather(*(one() for _ in range(calls)))
    return times


def main() -> None:
    """Arguments: the store's URL, the endpoint, how many calls, and whether to wait or only take what is free now."""
    store_url, endpoint, calls, how = sys.argv[1:]
    with open_store(store_url) as store, SharedRateLimiter(store, "main") as limits:
        if how == "wait":
            times = asyncio.run(call(limits, endpoint, int(calls)))
        else:
            times = [time.time() for _ in range(int(calls)) if limits.try_acquire(endpoint)]
    print(json.dumps(times))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
