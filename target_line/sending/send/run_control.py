"""State that the tasks of one sending run share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from line_core.errors import LineError

T = TypeVar("T")


class RunControl:
    """The reason to stop, and the access to the database."""

    def __init__(self) -> None:
        self.stop_reason: LineError | None = None
        """If set, no further request is sent. Requests in flight are finished and recorded."""
        self._database = asyncio.Lock()

    def stop(self, reason: LineError | None) -> None:
        """Stop the run, if there is a reason. The first reason is kept."""
        self.stop_reason = self.stop_reason or reason

    async def in_database(self, work: Callable[[], T]) -> T:
        """Run blocking database work in a thread. One at a time, because SQLite has one writer."""
        async with self._database:
            return await asyncio.to_thread(work)
