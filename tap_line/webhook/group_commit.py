"""Group commit: requests that arrive while a transaction is being written share the next one.

So the store flushes its disk once for many requests, and a slow flush makes the groups larger, not the waiting longer.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from line_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")

_LARGEST_GROUP = 1000


class GroupCommit(Generic[Item]):
    """Writes items in groups, one group at a time, in a thread of its own."""

    def __init__(self, write: Callable[[list[Item]], None]) -> None:
        """Make the thread; `run` does the work.

        Args:
            write: Stores items in one transaction; called in the thread.
        """
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")

    def add(self, item: Item) -> asyncio.Future[None]:
        """Queue an item; the future is done when it is durable, and fails with the `StoreError` when it is not."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        self._arrived.set()
        return stored

    async def run(self) -> None:
        """Write until `close`, and then what is still waiting."""
        loop = asyncio.get_running_loop()
        while await self._arrived.wait():
            group, self._waiting = self._waiting[:_LARGEST_GROUP], self._waiting[_LARGEST_GROUP:]
            if not self._waiting:
                self._arrived.clear()
            if not group:
                if self._closing:
                    break
                continue
            try:
                await loop.run_in_executor(self._thread, self._write, [item for item, _ in group])
            except StoreError as error:
                self._settle(group, error)
            else:
                self._settle(group, None)
            if self._closing:
                self._arrived.set()

    def close(self) -> None:
        """Let `run` end once everything queued is written."""
        self._closing = True
        self._arrived.set()

    @staticmethod
    def _settle(group: list[tuple[Item, asyncio.Future[None]]], error: StoreError | None) -> None:
        for _, stored in group:
            if stored.done():
                continue
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(error)
