"""State that the tasks of one sending run share."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_core.errors import LineError
    from target_line.sending.claim.request_body import SendMethod

T = TypeVar("T")


class RunStoppedError(Exception):
    """The run stops: the request must not leave."""


class RunControl:
    """The reason to stop, the tasks that a stop interrupts, and the access to the database."""

    def __init__(self) -> None:
        self.stop_reason: LineError | None = None
        """If set, no further request is sent. Requests on the wire are finished and recorded."""
        self.accepted: Counter[SendMethod] = Counter()
        """Requests that LINE accepted in this run."""
        self._database = asyncio.Lock()
        self._interruptible: set[asyncio.Task[object]] = set()
        self._interrupted: set[asyncio.Task[object]] = set()

    def stop(self, reason: LineError | None) -> None:
        """Stop the run, if there is a reason, and interrupt the tasks that wait. The first reason is kept."""
        if reason is None or self.stop_reason:
            return
        self.stop_reason = reason
        for task in self._interruptible:
            self._interrupted.add(task)
            task.cancel()

    def check(self) -> None:
        """Raise RunStoppedError if the run stops."""
        if self.stop_reason:
            raise RunStoppedError

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Mark the current task as one that waits. A stop ends the block with RunStoppedError, until `leave`.

        Cancelling a task that waits costs nothing while it waits; racing each wait with an event costs a task each.
        """
        self.check()
        task = _current_task()
        self._interruptible.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._interrupted:
                raise
            task.uncancel()
            raise RunStoppedError from None
        finally:
            self._interrupted.discard(task)
            self._interruptible.discard(task)

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Let the current task finish a step of an interruptible block."""
        task = _current_task()
        self._interruptible.discard(task)
        yield
        self.check()
        self._interruptible.add(task)

    def leave(self) -> None:
        """Declare that the current task's request leaves now: a stop waits for its response.

        Raises:
            RunStoppedError: The run stops.
        """
        self.check()
        self._interruptible.discard(_current_task())

    async def in_database(self, work: Callable[[], T]) -> T:
        """Run blocking database work in a thread. One at a time, because SQLite has one writer."""
        async with self._database:
            return await asyncio.to_thread(work)


def _current_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("there is no current task")
    return task
