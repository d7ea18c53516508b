"""Group commit: one thread writes all items that wait, in one transaction.

Items that arrive during a transaction wait for the next one. So one flush of the disk serves many requests, and a slow
disk makes the groups larger, not the queue longer. Other uses of the store run in the same thread between two groups,
because SQLite allows one writer at a time.

While the store is unavailable, `add` fails immediately, and a probe checks the store until it works again. Items that
were queued before are retried until their timeout, so that a short outage fails no request.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from line_core.errors import LineError, StoreError
from line_webhook.storage.availability import StoreAvailability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_GROUP_ITEMS = 1000
_MAX_GATHER_SECONDS = 0.01
# After a shorter write, the event loop has not yet read the next requests, so gathering would only add latency.
_MIN_WRITE_SECONDS_TO_GATHER = 0.005
_RETRY_SECONDS = 0.05
_WATCH_INTERVAL_SECONDS = 0.05
_PROBE_INTERVAL_SECONDS = 5.0
_PROBE_INTERVAL_SECONDS_WHILE_UNAVAILABLE = 1.0


class NotStoredError(LineError):
    """An item was not stored within its timeout, or cannot be stored."""


@dataclass(slots=True)
class _QueuedItem(Generic[Item]):
    item: Item
    stored: asyncio.Future[None]
    queued_at: float = field(default_factory=time.monotonic)


class GroupCommitThread(Generic[Item]):
    """Writes items in groups, and runs calls between the groups. Create and use it in one event loop."""

    def __init__(
        self, write: Callable[[list[Item]], None], probe: Callable[[], None], *, timeout_seconds: float
    ) -> None:
        """Store the dependencies; call `start` to start the thread.

        Args:
            write: Stores items in one transaction.
            probe: Raises `StoreError` if the store cannot be written.
            timeout_seconds: Time after which an item that is not stored fails.
        """
        self._write = write
        self._probe = probe
        self._timeout = timeout_seconds
        self._queue: deque[_QueuedItem[Item]] = deque()
        self._writing: list[_QueuedItem[Item]] = []
        self._calls: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._has_work = threading.Event()
        self._is_closing = False
        self._availability = StoreAvailability()
        self._last_write_seconds = 0.0
        self._expected_items = 0
        self._is_wake_up_scheduled = False

    @property
    def unavailable_reason(self) -> str | None:
        """Why events cannot be stored; none while the store is available."""
        return self._availability.unavailable_reason

    @property
    def waiting_items(self) -> int:
        """Number of items not yet stored."""
        return len(self._queue) + len(self._writing)

    def start(self) -> None:
        """Start the thread, and the task that fails overdue items and probes the store."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._watch_task = self._loop.create_task(self._watch())
        threading.Thread(target=self._run, name="store", daemon=True).start()

    async def close(self) -> None:
        """Write or fail everything that is queued, then end the thread."""
        self._is_closing = True
        self._has_work.set()
        await self._ended
        self._watch_task.cancel()

    def add(self, item: Item) -> asyncio.Future[None]:
        """Queue an item.

        Returns:
            A future that is done when the item is durable. It fails with `NotStoredError` after the timeout, or when
            the store rejects the item.

        Raises:
            NotStoredError: The store is unavailable.
        """
        if self.unavailable_reason is not None:
            raise NotStoredError(self.unavailable_reason)
        queued = _QueuedItem(item, self._loop.create_future())
        self._queue.append(queued)
        if not self._is_wake_up_scheduled:
            self._is_wake_up_scheduled = True
            self._loop.call_soon(self._wake_up)  # once for all items of this event loop iteration
        return queued.stored

    async def call(self, function: Callable[[], Result]) -> Result:
        """Run a function in the thread, between two groups. Return or raise its result."""
        result: asyncio.Future[Result] = self._loop.create_future()
        self._calls.append((function, result))
        self._has_work.set()
        return await result

    # --- in the event loop ---------------------------------------------------------------------------------------

    def _wake_up(self) -> None:
        self._is_wake_up_scheduled = False
        self._has_work.set()

    async def _watch(self) -> None:
        probe_task: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(_WATCH_INTERVAL_SECONDS)
            oldest = next(iter([*self._writing[:1], *self._queue]), None)
            if oldest is not None:
                overdue_before = time.monotonic() - self._timeout
                if oldest.queued_at < overdue_before:
                    self._fail_overdue(overdue_before)
            elif self._availability.seconds_since_heartbeat > self._probe_interval and (
                probe_task is None or probe_task.done()
            ):
                probe_task = self._loop.create_task(self._run_probe())

    def _fail_overdue(self, queued_before: float) -> None:
        """Fail the overdue items.

        They stay in the queue and are written later. LINE sends the request again, and the inbox then recognizes the
        events by their IDs.
        """
        reason = "the store is too slow"
        self._availability.mark_unavailable(reason)
        overdue = [queued for queued in (*self._writing, *self._queue) if queued.queued_at <= queued_before]
        _set_stored(overdue, NotStoredError(reason))

    @property
    def _probe_interval(self) -> float:
        is_available = self.unavailable_reason is None
        return _PROBE_INTERVAL_SECONDS if is_available else _PROBE_INTERVAL_SECONDS_WHILE_UNAVAILABLE

    async def _run_probe(self) -> None:
        try:
            await self.call(self._probe)
        except StoreError as error:
            self._availability.mark_unavailable(str(error))
        else:
            self._availability.mark_available()

    # --- in the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._is_closing and not self._queue and not self._calls):
            self._has_work.wait()
            self._has_work.clear()
            while self._queue or self._calls:
                if self._calls:
                    self._run_call(*self._calls.popleft())
                self._writing = self._next_group()
                if self._writing:
                    started = time.monotonic()
                    self._store(self._writing)
                    self._last_write_seconds = time.monotonic() - started
                    self._writing = []
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _next_group(self) -> list[_QueuedItem[Item]]:
        if self._queue and self._last_write_seconds > _MIN_WRITE_SECONDS_TO_GATHER:
            self._gather()
        return [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP_ITEMS))]

    def _gather(self) -> None:
        """Wait briefly until as many items are queued as after the last write.

        The clients that just got their responses may send again immediately. Without this pause, half of them would
        arrive during each write, and each flush would serve only that half. The pause is at most half of a write, as
        PostgreSQL's documentation recommends for `commit_delay`.
        """
        until = time.monotonic() + min(self._last_write_seconds / 2, _MAX_GATHER_SECONDS)
        while len(self._queue) < self._expected_items and (remaining := until - time.monotonic()) > 0:
            self._has_work.wait(remaining)
            self._has_work.clear()

    def _run_call(self, function: Callable[[], Any], result: asyncio.Future[Any]) -> None:
        try:
            value = function()
        except Exception as error:  # noqa: BLE001 - raised again in the caller
            self._loop.call_soon_threadsafe(_set_unless_done, result, None, error)
        else:
            self._loop.call_soon_threadsafe(_set_unless_done, result, value, None)

    def _store(self, group: list[_QueuedItem[Item]]) -> None:
        """Write a group, with retries until the timeout of its first item."""
        while True:
            try:
                self._write([queued.item for queued in group])
            except Exception as error:  # noqa: BLE001 - any error must fail the items, never end the thread
                if not _is_outage(error):
                    self._store_one_by_one(group, error)
                elif time.monotonic() + _RETRY_SECONDS < group[0].queued_at + self._timeout:
                    time.sleep(_RETRY_SECONDS)
                    continue
                else:
                    self._availability.mark_unavailable(str(error))
                    queued = [self._queue.popleft() for _ in range(len(self._queue))]
                    self._loop.call_soon_threadsafe(_set_stored, [*group, *queued], NotStoredError(str(error)))
            else:
                self._availability.mark_available()
                # Count before the clients get their responses: a client that sends again would count twice.
                self._expected_items = len(group) + len(self._queue)
                self._loop.call_soon_threadsafe(_set_stored, group, None)
            return

    def _store_one_by_one(self, group: list[_QueuedItem[Item]], error: Exception) -> None:
        """Write each item in its own transaction, so that an item that the store rejects fails alone."""
        if len(group) > 1:
            for queued in group:
                self._store([queued])
            return
        _log.error("the store rejects an item", exc_info=error)
        self._loop.call_soon_threadsafe(_set_stored, group, NotStoredError("the store rejects the request"))


def _is_outage(error: Exception) -> bool:
    """Tell an outage of the store from data that the store rejects."""
    return isinstance(error, StoreError) and not isinstance(error.__cause__, DataError | IntegrityError)


def _set_stored(group: Iterable[_QueuedItem[Any]], error: NotStoredError | None) -> None:
    for queued in group:
        _set_unless_done(queued.stored, None, error)


def _set_unless_done(future: asyncio.Future[Any], value: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
