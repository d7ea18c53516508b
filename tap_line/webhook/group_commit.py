"""Group commit: items that arrive while a transaction is being written share the next one.

So the store flushes its disk once for many requests, and a slow flush makes the groups larger, not the waiting longer.

While the store fails or hangs, items are refused at once, and a probe finds out when it works again. What was already
waiting is tried until its patience is over, so that a short outage refuses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from line_core.errors import LineError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

_log = logging.getLogger(__name__)

Item = TypeVar("Item")

_LARGEST_GROUP = 1000
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


class GroupCommit(Generic[Item]):
    """Writes items in groups, one group at a time, in the one thread of an executor."""

    def __init__(
        self,
        executor: Executor,
        write: Callable[[list[Item]], None],
        probe: Callable[[], None],
        *,
        patience_seconds: float,
    ) -> None:
        """Set up; `run` does the work.

        Args:
            executor: Where `write` and `probe` are called.
            write: Stores items in one transaction.
            probe: Raises `StoreError` when nothing can be stored.
            patience_seconds: How long an item waits before it fails.
        """
        self._executor = executor
        self._write = write
        self._probe = probe
        self._patience = patience_seconds
        self._queue: list[_Waiting[Item]] = []
        self._writing: list[_Waiting[Item]] = []
        self._arrived = asyncio.Event()
        self._trouble: str | None = None
        self._closing = False
        self._probing: asyncio.Task[None] | None = None
        self._last_news = time.monotonic()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at present; none when all is well."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Items not yet stored."""
        return len(self._queue) + len(self._writing)

    def add(self, item: Item) -> asyncio.Future[None]:
        """Queue an item.

        Returns:
            Done when the item is durable; fails with `NotStoredError` when it is not in time, or never.

        Raises:
            NotStoredError: The store is in trouble.
        """
        if self._trouble is not None:
            raise NotStoredError(self._trouble)
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        return waiting.stored

    async def run(self) -> None:
        """Write until `close`, and then what is still waiting."""
        watching = asyncio.create_task(self._watch())
        try:
            while not (self._closing and not self._queue):
                await self._arrived.wait()
                self._writing, self._queue = self._queue[:_LARGEST_GROUP], self._queue[_LARGEST_GROUP:]
                if not self._queue and not self._closing:
                    self._arrived.clear()
                await self._store(self._writing)
                self._writing = []
        finally:
            watching.cancel()

    def close(self) -> None:
        """Let `run` end once everything queued is written or has failed."""
        self._closing = True
        self._arrived.set()

    async def _store(self, group: list[_Waiting[Item]]) -> None:
        while group:
            try:
                await self._call(self._write, [waiting.item for waiting in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, the receiver must live and the senders know
                if _is_outage(error):
                    await self._outlast(group, error)
                    group = [waiting for waiting in group if not waiting.stored.done()]
                    continue
                if len(group) > 1:
                    # One item that the store refuses must not take the others with it, now or when it is sent again.
                    for waiting in group:
                        await self._store([waiting])
                    return
                _log.error("an item that the store refuses", exc_info=error)
                _fail(group, NotStoredError("the store refuses it"))
                return
            self._all_is_well()
            for waiting in group:
                if not waiting.stored.done():
                    waiting.stored.set_result(None)
            return

    async def _outlast(self, group: list[_Waiting[Item]], error: Exception) -> None:
        """Wait a moment for the next try; fail everything when the patience of the oldest is over."""
        if time.monotonic() + _TRY_AGAIN_SECONDS < group[0].since + self._patience:
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
            return
        self._in_trouble(str(error))
        _fail([*group, *self._queue], NotStoredError(str(error)))
        self._queue.clear()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = time.monotonic()
            oldest = next(iter(self._writing or self._queue), None)
            if oldest is not None:
                if oldest.since + self._patience < now:
                    self._fail_overdue(now - self._patience)
            elif self._last_news + self._probe_interval < now and (self._probing is None or self._probing.done()):
                self._probing = asyncio.create_task(self._probe_once())

    @property
    def _probe_interval(self) -> float:
        return _PROBE_SECONDS_IDLE if self._trouble is None else _PROBE_SECONDS_IN_TROUBLE

    def _fail_overdue(self, since: float) -> None:
        """Fail what the store is too slow for; it is written all the same, and its redelivery will be found stored."""
        self._in_trouble("the store is too slow")
        overdue = [waiting for waiting in (*self._writing, *self._queue) if waiting.since <= since]
        _fail(overdue, NotStoredError("the store is too slow"))

    async def _probe_once(self) -> None:
        try:
            await self._call(self._probe)
        except StoreError as error:
            self._in_trouble(str(error))
        else:
            self._all_is_well()

    async def _call(self, function: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

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


def _fail(group: list[_Waiting[Item]], error: NotStoredError) -> None:
    for waiting in group:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
