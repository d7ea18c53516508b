"""A reader that goes on after the last position it saw never skips an event, whatever the writers do.

The same readers and writers against the naive design (the database numbers the rows, and nothing else) do skip: that is
the negative control, without which the proof would prove nothing.
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
SECONDS = 3.0

naive = Table(
    "naive_events",
    MetaData(),
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("text", String(64)),
)


class Naive:
    """Numbers from a sequence, and commits in any order."""

    def __init__(self, store: Store) -> None:
        self.store = store
        naive.create(store.engine)

    def write(self, numbers: list[int], linger: float) -> None:
        with self.store.write() as connection:
            connection.execute(insert(naive), [{"number": number} for number in numbers])
            time.sleep(linger)

    def read(self, after: int, limit: int) -> list[tuple[int, int]]:
        query = select(naive.c.position, naive.c.number).where(naive.c.position > after).order_by(naive.c.position)
        with self.store.read() as connection:
            return [(row.position, row.number) for row in connection.execute(query.limit(limit))]


class Inbox:
    """The inbox as receivers write it and the tap reads it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def write(self, numbers: list[int], linger: float) -> None:
        events = parse_events("main", body_of(*map(event, numbers)), datetime.now(UTC))
        with self.store.write(lock="inbox") as connection:
            write_events(connection, events)
            time.sleep(linger)

    def read(self, after: int, limit: int) -> list[tuple[int, int]]:
        with self.store.read() as connection:
            return [(one.position, int(one.webhook_event_id[-16:])) for one in read_events(connection, after, limit)]


class Run:
    """Writers that commit in any order, and readers with different habits, for a few seconds."""

    def __init__(self, design: Naive | Inbox) -> None:
        self.design = design
        self.written: list[int] = []
        self.over = threading.Event()

    def go(self) -> list[set[int]]:
        """Returns what each reader saw."""
        with ThreadPoolExecutor(WRITERS + 3) as pool:
            readers = [pool.submit(self._read, pause, limit) for pause, limit in ((0.0, 10_000), (0.0, 7), (0.05, 100))]
            writers = [pool.submit(self._write, writer) for writer in range(WRITERS)]
            for writer in writers:
                self.written += writer.result()
            self.over.set()
            return [reader.result() for reader in readers]

    def _write(self, writer: int) -> list[int]:
        chance = random.Random(writer)
        numbers: list[int] = []
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            batch = [writer * 10**9 + len(numbers) + index for index in range(chance.randint(1, 5))]
            self.design.write(batch, chance.choice([0.0, 0.0, 0.002, 0.02]))
            numbers += batch
        return numbers

    def _read(self, pause: float, limit: int) -> set[int]:
        seen: set[int] = set()
        last = 0
        while True:
            is_last_look = self.over.is_set()
            page = self.design.read(last, limit)
            for position, number in page:
                assert position > last
                last = position
                seen.add(number)
            if not page and is_last_look:
                return seen
            time.sleep(pause)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as store:
        yield store


def test_no_reader_skips_an_event_on_postgres(postgres_store: Store) -> None:
    run = Run(Inbox(postgres_store))
    for seen in run.go():
        assert seen == set(run.written)
    assert len(run.written) > 100


def test_readers_of_the_naive_design_do_skip_events(postgres_store: Store) -> None:
    run = Run(Naive(postgres_store))
    skipped = [set(run.written) - seen for seen in run.go()]
    assert any(skipped)


def test_no_reader_skips_an_event_on_sqlite(tmp_path: object) -> None:
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        run = Run(Inbox(store))
        for seen in run.go():
            assert seen == set(run.written)
