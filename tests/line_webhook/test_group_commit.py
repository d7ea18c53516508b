"""The one thread that writes: groups, outages, a store that hangs, items that the store refuses."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DataError, OperationalError

from line_core.errors import StoreError
from line_webhook.storage import group_commit
from line_webhook.storage.group_commit import GroupCommitThread, NotStoredError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Disk:
    """A store that can be slow, down, or unwilling to take an item."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.flush_seconds = 0.0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_down = False
        self.refuses: set[str] = set()

    def write(self, items: list[str]) -> None:
        self.may_go_on.wait()
        time.sleep(self.flush_seconds)
        self.probe()
        if self.refuses & set(items):
            raise StoreError("refused") from DataError("insert", None, Exception("too long"))
        self.groups.append(items)

    def probe(self) -> None:
        self.may_go_on.wait()
        if self.is_down:
            raise StoreError("down") from OperationalError("insert", None, Exception("connection refused"))

    @property
    def stored(self) -> list[str]:
        return [item for group in self.groups for item in group]


@asynccontextmanager
async def running(disk: Disk, timeout_seconds: float = 0.3) -> AsyncIterator[GroupCommitThread[str]]:
    thread = GroupCommitThread(disk.write, disk.probe, timeout_seconds=timeout_seconds)
    thread.start()
    try:
        yield thread
    finally:
        disk.may_go_on.set()
        await thread.close()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_PROBE_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(group_commit, "_PROBE_INTERVAL_SECONDS_WHILE_UNAVAILABLE", 0.05)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_items_that_wait_together_are_written_together() -> None:
    disk = Disk()
    disk.flush_seconds = 0.05
    async with running(disk) as thread:
        await asyncio.gather(*(thread.add(str(number)) for number in range(100)))
    assert sorted(disk.stored, key=int) == [str(number) for number in range(100)]
    assert len(disk.groups) <= 3


async def test_senders_that_wait_for_their_answers_share_one_flush_when_it_is_slow() -> None:
    disk = Disk()
    disk.flush_seconds = 0.02
    async with running(disk, timeout_seconds=5) as thread:

        async def send(sender: int) -> None:
            await asyncio.sleep(0.005 * (sender % 2))  # in two halves, one while the other is written
            for _ in range(10):
                await thread.add(str(sender))

        await asyncio.gather(*map(send, range(10)))
    assert len(disk.stored) == 100
    assert len(disk.groups) <= 14


async def test_a_lone_sender_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_MAX_GATHER_SECONDS", 10.0)
    disk = Disk()
    disk.flush_seconds = 0.01
    async with running(disk, timeout_seconds=5) as thread:
        await asyncio.gather(*(thread.add("crowd") for _ in range(50)))
        await thread.add("first after the crowd")
        disk.flush_seconds = 3
        await thread.add("slow")
        disk.flush_seconds = 0
        began = time.monotonic()
        await thread.add("alone")
        assert time.monotonic() - began < 1, "a crowd would be waited for half as long as the last write took"


async def test_an_item_is_not_done_before_it_is_stored() -> None:
    disk = Disk()
    disk.may_go_on.clear()
    async with running(disk) as thread:
        stored = thread.add("a")
        await asyncio.sleep(0.05)
        assert not stored.done()
        disk.may_go_on.set()
        await stored
        assert disk.stored == ["a"]


async def test_a_short_outage_refuses_nothing() -> None:
    disk = Disk()
    disk.is_down = True
    async with running(disk, timeout_seconds=5) as thread:
        stored = thread.add("a")
        await asyncio.sleep(0.1)
        disk.is_down = False
        await stored
    assert disk.stored == ["a"]


async def test_a_long_outage_refuses_at_once_and_ends_by_itself() -> None:
    disk = Disk()
    disk.is_down = True
    async with running(disk) as thread:
        with pytest.raises(NotStoredError, match="down"):
            await thread.add("a")
        assert thread.unavailable_reason is not None
        began = time.monotonic()
        with pytest.raises(NotStoredError):
            thread.add("b")
        assert time.monotonic() - began < 0.1
        disk.is_down = False
        await until(lambda: thread.unavailable_reason is None)
        await thread.add("c")
    assert disk.stored == ["c"]


async def test_an_outage_is_noticed_while_nothing_arrives() -> None:
    disk = Disk()
    async with running(disk) as thread:
        disk.is_down = True
        await until(lambda: thread.unavailable_reason is not None)


async def test_a_store_that_hangs_fails_items_in_time_and_keeps_them_all_the_same() -> None:
    disk = Disk()
    disk.may_go_on.clear()
    async with running(disk, timeout_seconds=0.2) as thread:
        first = thread.add("a")
        await asyncio.sleep(0.05)
        second = thread.add("b")
        began = time.monotonic()
        for stored in (first, second):
            with pytest.raises(NotStoredError, match="slow"):
                await stored
        assert time.monotonic() - began < 1
        with pytest.raises(NotStoredError):
            thread.add("c")
        disk.may_go_on.set()
        await until(lambda: thread.unavailable_reason is None)
        await thread.add("d")
    assert disk.stored == ["a", "b", "d"]


async def test_an_item_that_the_store_refuses_takes_no_other_with_it() -> None:
    disk = Disk()
    disk.refuses = {"b"}
    disk.may_go_on.clear()
    async with running(disk, timeout_seconds=5) as thread:
        outcomes = asyncio.gather(*(thread.add(item) for item in "abc"), return_exceptions=True)
        disk.may_go_on.set()
        first, second, third = await outcomes
        assert thread.unavailable_reason is None
    assert (first, type(second), third) == (None, NotStoredError, None)
    assert sorted(disk.stored) == ["a", "c"]


async def test_what_is_queued_is_written_before_the_end() -> None:
    disk = Disk()
    disk.flush_seconds = 0.05
    async with running(disk) as thread:
        waiting = [thread.add(item) for item in "abc"]
    await asyncio.gather(*waiting)
    assert disk.stored == ["a", "b", "c"]


async def test_calls_take_their_turn_and_give_back_what_they_return_or_raise() -> None:
    async with running(Disk()) as thread:
        assert await thread.call(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await thread.call(lambda: 1 // 0)
        await thread.add("a")
