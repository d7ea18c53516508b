"""A reader that continues after its last position never skips an event while writers commit concurrently.

Negative control: with a table whose numbers come from a sequence without a lock, the same readers do skip rows.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, insert, select

from line_core.store import open_store
from line_core.store.inbox import read_events, write_events
from line_core.webhook_events.parsing import parse_events
from tests.support.webhook_events import body_of, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.store import Store

WRITERS = 8
BATCHES = 25
"""Number of transactions per writer."""

unlocked = Table(
    "unlocked_events",
    MetaData(),
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("text", String(64)),
)


class UnlockedTable:
    """A table with numbers from a sequence, and commits in any order."""

    def __init__(self, store: Store) -> None:
        self.store = store
        unlocked.create(store.engine)

    def write(self, numbers: list[int], seconds: float) -> None:
        with self.store.write() as connection:
            connection.execute(insert(unlocked), [{"number": number} for number in numbers])
            time.sleep(seconds)

    def read(self, after: int, limit: int) -> list[tuple[int, int]]:
        query = (
            select(unlocked.c.position, unlocked.c.number)
            .where(unlocked.c.position > after)
            .order_by(unlocked.c.position)
        )
        with self.store.read() as connection:
            return [(row.position, row.number) for row in connection.execute(query.limit(limit))]


class Inbox:
    """The inbox, written as by receivers and read as by the tap."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def write(self, numbers: list[int], seconds: float) -> None:
        events = parse_events("main", body_of(*map(event, numbers)), datetime.now(UTC))
        with self.store.write(lock="inbox") as connection:
            write_events(connection, events)
            time.sleep(seconds)

    def read(self, after: int, limit: int) -> list[tuple[int, int]]:
        with self.store.read() as connection:
            return [(one.position, int(one.webhook_event_id[-16:])) for one in read_events(connection, after, limit)]


class ConcurrentRun:
    """Concurrent writers, and readers with different pauses and page sizes."""

    def __init__(self, design: UnlockedTable | Inbox) -> None:
        self.design = design
        self.written: list[int] = []
        self.writers_done = threading.Event()

    def run(self) -> list[set[int]]:
        """Return the numbers that each reader read."""
        with ThreadPoolExecutor(WRITERS + 3) as pool:
            readers = [pool.submit(self._read, pause, limit) for pause, limit in ((0.0, 10_000), (0.0, 7), (0.05, 100))]
            writers = [pool.submit(self._write, writer) for writer in range(WRITERS)]
            for writer in writers:
                self.written += writer.result()
            self.writers_done.set()
            return [reader.result() for reader in readers]

    def _write(self, writer: int) -> list[int]:
        seeded_random = random.Random(writer)
        numbers: list[int] = []
        for _ in range(BATCHES):
            batch = [writer * 10**9 + len(numbers) + index for index in range(seeded_random.randint(1, 5))]
            self.design.write(batch, seeded_random.choice([0.0, 0.0, 0.002, 0.02]))
            numbers += batch
        return numbers

    def _read(self, pause: float, limit: int) -> set[int]:
        seen: set[int] = set()
        last = 0
        while True:
            is_last_read = self.writers_done.is_set()
            page = self.design.read(last, limit)
            for position, number in page:
                assert position > last
                last = position
                seen.add(number)
            if not page and is_last_read:
                return seen
            time.sleep(pause)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as store:
        yield store


def test_no_reader_skips_an_event_on_postgres(postgres_store: Store) -> None:
    run = ConcurrentRun(Inbox(postgres_store))
    for seen in run.run():
        assert seen == set(run.written)
    assert len(run.written) > 100


def test_readers_of_a_table_without_the_inbox_lock_skip_rows(postgres_store: Store) -> None:
    run = ConcurrentRun(UnlockedTable(postgres_store))
    skipped = [set(run.written) - seen for seen in run.run()]
    assert any(skipped)


def test_no_reader_skips_an_event_on_sqlite(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        run = ConcurrentRun(Inbox(store))
        for seen in run.run():
            assert seen == set(run.written)
