"""Group commit: groups, outages, a store that hangs, items that the store rejects."""

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


class FakeStore:
    """A store that can be slow, hang, be down, or reject items."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.flush_seconds = 0.0
        self.may_write = threading.Event()
        self.may_write.set()
        self.is_down = False
        self.rejected_items: set[str] = set()
        self.unexpected_error: Exception | None = None

    def write(self, items: list[str]) -> None:
        self.may_write.wait()
        time.sleep(self.flush_seconds)
        self.probe()
        if self.unexpected_error:
            raise self.unexpected_error
        if self.rejected_items & set(items):
            raise StoreError("rejected") from DataError("insert", None, Exception("too long"))
        self.groups.append(items)

    def probe(self) -> None:
        self.may_write.wait()
        if self.is_down:
            raise StoreError("down") from OperationalError("insert", None, Exception("connection refused"))

    @property
    def stored(self) -> list[str]:
        return [item for group in self.groups for item in group]


@asynccontextmanager
async def running(store: FakeStore, timeout_seconds: float = 0.3) -> AsyncIterator[GroupCommitThread[str]]:
    thread = GroupCommitThread(store.write, store.probe, timeout_seconds=timeout_seconds)
    thread.start()
    try:
        yield thread
    finally:
        store.may_write.set()
        await thread.close()


@pytest.fixture(autouse=True)
def _short_probe_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_PROBE_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(group_commit, "_PROBE_INTERVAL_SECONDS_WHILE_UNAVAILABLE", 0.05)


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_items_queued_at_the_same_time_share_few_commits() -> None:
    store = FakeStore()
    store.flush_seconds = 0.05
    async with running(store) as thread:
        await asyncio.gather(*(thread.add(str(number)) for number in range(100)))
    assert sorted(store.stored, key=int) == [str(number) for number in range(100)]
    assert len(store.groups) <= 3


async def test_concurrent_senders_share_one_commit_when_commits_are_slow() -> None:
    store = FakeStore()
    store.flush_seconds = 0.02
    async with running(store, timeout_seconds=5) as thread:

        async def send(sender: int) -> None:
            await asyncio.sleep(0.005 * (sender % 2))  # half of the senders start during the first commit
            for _ in range(10):
                await thread.add(str(sender))

        await asyncio.gather(*map(send, range(10)))
    assert len(store.stored) == 100
    assert len(store.groups) <= 14


async def test_a_single_sender_is_not_delayed_by_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_MAX_GATHER_SECONDS", 10.0)
    store = FakeStore()
    store.flush_seconds = 0.01
    async with running(store, timeout_seconds=5) as thread:
        await asyncio.gather(*(thread.add("concurrent") for _ in range(50)))
        await thread.add("first single item")
        store.flush_seconds = 3
        await thread.add("slow")
        store.flush_seconds = 0
        started = time.monotonic()
        await thread.add("alone")
        assert time.monotonic() - started < 1, "gathering waits up to half of the last write (1.5 s)"


async def test_the_future_of_an_item_is_done_only_after_the_commit() -> None:
    store = FakeStore()
    store.may_write.clear()
    async with running(store) as thread:
        stored = thread.add("a")
        await asyncio.sleep(0.05)
        assert not stored.done()
        store.may_write.set()
        await stored
        assert store.stored == ["a"]


async def test_items_survive_an_outage_shorter_than_the_timeout() -> None:
    store = FakeStore()
    store.is_down = True
    async with running(store, timeout_seconds=5) as thread:
        stored = thread.add("a")
        await asyncio.sleep(0.1)
        store.is_down = False
        await stored
    assert store.stored == ["a"]


async def test_items_fail_immediately_in_a_long_outage_and_the_store_recovers_automatically() -> None:
    store = FakeStore()
    store.is_down = True
    async with running(store) as thread:
        with pytest.raises(NotStoredError, match="down"):
            await thread.add("a")
        assert thread.unavailable_reason is not None
        started = time.monotonic()
        with pytest.raises(NotStoredError):
            thread.add("b")
        assert time.monotonic() - started < 0.1
        store.is_down = False
        await wait_until(lambda: thread.unavailable_reason is None)
        await thread.add("c")
    assert store.stored == ["c"]


async def test_the_probe_notices_an_outage_without_any_items() -> None:
    store = FakeStore()
    async with running(store) as thread:
        store.is_down = True
        await wait_until(lambda: thread.unavailable_reason is not None)


async def test_items_fail_after_the_timeout_while_the_store_hangs_and_are_written_later() -> None:
    store = FakeStore()
    store.may_write.clear()
    async with running(store, timeout_seconds=0.2) as thread:
        first = thread.add("a")
        await asyncio.sleep(0.05)
        second = thread.add("b")
        started = time.monotonic()
        for stored in (first, second):
            with pytest.raises(NotStoredError, match="slow"):
                await stored
        assert time.monotonic() - started < 1
        with pytest.raises(NotStoredError):
            thread.add("c")
        store.may_write.set()
        await wait_until(lambda: thread.unavailable_reason is None)
        await thread.add("d")
    assert store.stored == ["a", "b", "d"]


async def test_an_item_that_the_store_rejects_fails_alone() -> None:
    store = FakeStore()
    store.rejected_items = {"b"}
    store.may_write.clear()
    async with running(store, timeout_seconds=5) as thread:
        outcomes = asyncio.gather(*(thread.add(item) for item in "abc"), return_exceptions=True)
        store.may_write.set()
        first, second, third = await outcomes
        assert thread.unavailable_reason is None
    assert (first, type(second), third) == (None, NotStoredError, None)
    assert sorted(store.stored) == ["a", "c"]


async def test_close_writes_the_queued_items() -> None:
    store = FakeStore()
    store.flush_seconds = 0.05
    async with running(store) as thread:
        waiting = [thread.add(item) for item in "abc"]
    await asyncio.gather(*waiting)
    assert store.stored == ["a", "b", "c"]


async def test_calls_return_or_raise_the_result_of_their_function() -> None:
    async with running(FakeStore()) as thread:
        assert await thread.call(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await thread.call(lambda: 1 // 0)
        await thread.add("a")


async def test_an_unexpected_error_fails_the_item_and_the_thread_continues(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    store.unexpected_error = RuntimeError("a defect")
    async with running(store) as thread:
        with pytest.raises(NotStoredError, match="rejects"):
            await thread.add("a")
        store.unexpected_error = None
        assert thread.unavailable_reason is None
        await thread.add("b")
    assert store.stored == ["b"]
    assert "a defect" in caplog.text
