"""The one thread of a receiver that uses the store.

Group commit: items that arrive while a transaction is being written share the next one. So the store flushes its disk
once for many requests, and a slow flush makes the groups larger, not the waiting longer. Everything else that needs
the store takes its turn between two groups: SQLite has one writer, which waits more gladly in a queue than for a lock.

While the store fails or hangs, items are refused at once, and a probe finds out when it works again. What was already
waiting is tried until its patience is over, so that a short outage refuses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from line_core.errors import LineError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

_LARGEST_GROUP = 1000
_LONGEST_GATHERING_SECONDS = 0.01
# Shorter writes are over by the time that the event loop has read the next requests.
_LONG_WRITE_SECONDS = 0.005
_TRY_AGAIN_SECONDS = 0.05
_WATCH_SECONDS = 0.05
_PROBE_SECONDS_IDLE = 5.0
_PROBE_SECONDS_IN_TROUBLE = 1.0


class NotStoredError(LineError):
    """An item could not be stored in time."""


@dataclass(slots=True)
class _Waiting(Generic[Item]):
    item: Item
    stored: asyncio.Future[None]
    since: float = field(default_factory=time.monotonic)


class Caller(Protocol):
    """Calls a function in a thread."""

    async def __call__(self, function: Callable[[], Result]) -> Result:
        """Call it; returns what it returns, and raises what it raises."""


class StoreThread(Generic[Item]):
    """Writes items in groups and makes calls, one thing at a time. To be made and used in one event loop."""

    def __init__(
        self, write: Callable[[list[Item]], None], probe: Callable[[], None], *, patience_seconds: float
    ) -> None:
        """Set up; `start` starts.

        Args:
            write: Stores items in one transaction.
            probe: Raises `StoreError` when nothing can be stored.
            patience_seconds: How long an item waits before it fails.
        """
        self._write = write
        self._probe = probe
        self._patience = patience_seconds
        self._queue: deque[_Waiting[Item]] = deque()
        self._writing: list[_Waiting[Item]] = []
        self._calls: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._work = threading.Event()
        self._closing = False
        self._trouble: str | None = None
        self._last_news = time.monotonic()
        self._last_write_seconds = 0.0
        self._expected = 0
        self._is_waking = False

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at present; none when all is well."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Items not yet stored."""
        return len(self._queue) + len(self._writing)

    def start(self) -> None:
        """Start the thread, and the watch over it."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._watching = self._loop.create_task(self._watch())
        threading.Thread(target=self._run, name="store", daemon=True).start()

    async def close(self) -> None:
        """Let everything queued be written, or fail, and end the thread."""
        self._closing = True
        self._work.set()
        await self._ended
        self._watching.cancel()

    def add(self, item: Item) -> asyncio.Future[None]:
        """Queue an item.

        Returns:
            Done when the item is durable; fails with `NotStoredError` when it is not in time, or never.

        Raises:
            NotStoredError: The store is in trouble.
        """
        if self._trouble is not None:
            raise NotStoredError(self._trouble)
        waiting = _Waiting(item, self._loop.create_future())
        self._queue.append(waiting)
        if not self._is_waking:
            self._is_waking = True
            self._loop.call_soon(self._wake)  # what arrives in this turn of the loop comes together
        return waiting.stored

    async def call(self, function: Callable[[], Result]) -> Result:
        """Call a function in the thread, between two groups."""
        result: asyncio.Future[Result] = self._loop.create_future()
        self._calls.append((function, result))
        self._work.set()
        return await result

    # --- in the event loop ---------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._is_waking = False
        self._work.set()

    async def _watch(self) -> None:
        probing: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            oldest = next(iter([*self._writing[:1], *self._queue]), None)
            if oldest is not None:
                if oldest.since + self._patience < now:
                    self._fail_overdue(now - self._patience)
            elif self._last_news + self._probe_interval < now and (probing is None or probing.done()):
                probing = self._loop.create_task(self._probe_once())

    def _fail_overdue(self, since: float) -> None:
        """Fail what the store is too slow for; it is written all the same, and its redelivery will be found stored."""
        self._in_trouble("the store is too slow")
        overdue = [waiting for waiting in (*self._writing, *self._queue) if waiting.since <= since]
        _settle(overdue, NotStoredError("the store is too slow"))

    @property
    def _probe_interval(self) -> float:
        return _PROBE_SECONDS_IDLE if self._trouble is None else _PROBE_SECONDS_IN_TROUBLE

    async def _probe_once(self) -> None:
        try:
            await self.call(self._probe)
        except StoreError as error:
            self._in_trouble(str(error))
        else:
            self._all_is_well()

    # --- in the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._closing and not self._queue and not self._calls):
            self._work.wait()
            self._work.clear()
            while self._queue or self._calls:
                if self._calls:
                    self._make_call(*self._calls.popleft())
                self._writing = self._next_group()
                if self._writing:
                    began = time.monotonic()
                    self._store(self._writing)
                    self._last_write_seconds = time.monotonic() - began
                    self._writing = []
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _next_group(self) -> list[_Waiting[Item]]:
        if self._queue and self._last_write_seconds > _LONG_WRITE_SECONDS:
            self._gather()
        return [self._queue.popleft() for _ in range(min(len(self._queue), _LARGEST_GROUP))]

    def _gather(self) -> None:
        """Wait a little for the senders that were just answered, who may send again at once.

        Otherwise they come in two halves, one arriving while the other is written, and each flush serves only a half.
        The pause is at most half of a flush, as is advised for Postgres' commit_delay.
        """
        until = time.monotonic() + min(self._last_write_seconds / 2, _LONGEST_GATHERING_SECONDS)
        while len(self._queue) < self._expected and (left := until - time.monotonic()) > 0:
            self._work.wait(left)
            self._work.clear()

    def _make_call(self, function: Callable[[], Any], result: asyncio.Future[Any]) -> None:
        try:
            value = function()
        except Exception as error:  # noqa: BLE001 - the caller's own
            self._loop.call_soon_threadsafe(_set_unless_done, result, None, error)
        else:
            self._loop.call_soon_threadsafe(_set_unless_done, result, value, None)

    def _store(self, group: list[_Waiting[Item]]) -> None:
        while True:
            try:
                self._write([waiting.item for waiting in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, the receiver must live and the senders know
                if not _is_outage(error):
                    self._store_singly(group, error)
                elif time.monotonic() + _TRY_AGAIN_SECONDS < group[0].since + self._patience:
                    time.sleep(_TRY_AGAIN_SECONDS)
                    continue
                else:
                    self._in_trouble(str(error))
                    queued = [self._queue.popleft() for _ in range(len(self._queue))]
                    self._loop.call_soon_threadsafe(_settle, [*group, *queued], NotStoredError(str(error)))
            else:
                self._all_is_well()
                # Counted before the answers go out: who sends again at once would count twice.
                self._expected = len(group) + len(self._queue)
                self._loop.call_soon_threadsafe(_settle, group, None)
            return

    def _store_singly(self, group: list[_Waiting[Item]], error: Exception) -> None:
        """One item that the store refuses must not take the others with it, now or when it is sent again."""
        if len(group) > 1:
            for waiting in group:
                self._store([waiting])
            return
        _log.error("an item that the store refuses", exc_info=error)
        self._loop.call_soon_threadsafe(_settle, group, NotStoredError("the store refuses it"))

    # --- in both -------------------------------------------------------------------------------------------------

    def _in_trouble(self, why: str) -> None:
        self._last_news = time.monotonic()
        if self._trouble is None:
            _log.error("events cannot be stored: %s", why)
        self._trouble = why

    def _all_is_well(self) -> None:
        self._last_news = time.monotonic()
        if self._trouble is not None:
            _log.warning("events can be stored again")
        self._trouble = None


def _is_outage(error: Exception) -> bool:
    """Whether the store itself failed, rather than refused what was to be written."""
    return isinstance(error, StoreError) and not isinstance(error.__cause__, DataError | IntegrityError)


def _settle(group: Iterable[_Waiting[Any]], error: NotStoredError | None) -> None:
    for waiting in group:
        _set_unless_done(waiting.stored, None, error)


def _set_unless_done(future: asyncio.Future[Any], value: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
