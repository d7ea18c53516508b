"""Rate limits that all processes on one store share, whatever their number, and across their ends and beginnings.

The calendar of each endpoint is a row of the store; a process asks for a batch of places in one short transaction, so
that thousands of calls a second cost a few. On SQLite its only writer is alone with the row, on Postgres the row is
locked. A store that is slow, or fails, gives out fewer places, never too many: what a process was given is counted
before it hears of it, and lapses if it hears of it too late.

After a 429 a process is silent at once. The others learn of it when they next ask: for endpoints with limits by the
second that is within half a second, for the others before the next call.
"""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select, text, update

from line_core.api.rate_limit.limiter import PacedRateLimiter, answer_of
from line_core.api.rate_limit.schedule import Calendar
from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.limits import rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement, Connection

    from line_core.api.rate_limit.endpoint_limiter import Answer
    from line_core.api.rate_limit.schedule import Pace
    from line_core.store import Store

_CLOCK_STALE_SECONDS = 10


class SharedRateLimiter(PacedRateLimiter):
    """The limits of one channel, for all processes that share a store.

    Use it in a `with` block, or close it, before the store is closed.
    """

    def __init__(
        self,
        store: Store,
        channel: str,
        max_requests_per_second: float | None = None,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            store: An open store.
            channel: Your name for the channel whose limits they are.
            max_requests_per_second: An upper bound over all endpoints, for this process alone.
            clock: Seconds, the same for all who share the store; default the machine's clock on SQLite, the database's
                on Postgres.
        """
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="limits")
        calendars = StoreCalendars(store, channel, clock)
        super().__init__(calendars, self._executor.submit, max_requests_per_second)

    def close(self) -> None:
        """Ask nothing more."""
        self._executor.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        """Use them in a `with` block, which closes them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self.close()


class StoreCalendars:
    """The calendars of a channel's endpoints, in the store.

    Methods raise StoreError if it cannot be used.
    """

    def __init__(self, store: Store, channel: str, clock: Callable[[], float] | None = None) -> None:
        """Use an open store; for the arguments see `SharedRateLimiter`."""
        self._store = store
        self._channel = channel
        self._asker = str(uuid.uuid4())
        machine = time.time if store.is_sqlite else None
        self._clock = clock or machine
        self._database_clock = _DatabaseClock()

    def now(self) -> float:
        """The time that all who share the store go by, in seconds."""
        return self._clock() if self._clock else self._database_clock.now()

    def ask(self, endpoint: str, pace: Pace, unused: Mapping[int, int], wanted: int, lead: float) -> Answer:
        """Give places back that were not used, and ask for others; see `Calendar.give_out`."""
        with self._store.write() as connection:
            calendar = self._read(connection, endpoint)
            now = self._now(connection)  # read under the lock: it may have been long in coming
            answer = answer_of(calendar, self._asker, pace, now, unused, wanted, lead)
            self._write(connection, endpoint, calendar)
        return answer

    def pause(self, endpoint: str, pace: Pace, until: float) -> None:
        """Have no place of the endpoint before a time."""
        with self._store.write() as connection:
            calendar = self._read(connection, endpoint)
            calendar.pause(pace, until)
            self._write(connection, endpoint, calendar)

    def _now(self, connection: Connection) -> float:
        return self._clock() if self._clock else self._database_clock.read(connection)

    def _read(self, connection: Connection, endpoint: str) -> Calendar:
        """An endpoint's calendar, which nobody else has before the transaction ends."""
        query = select(rate_limits.c.calendar).where(self._is(endpoint)).with_for_update()
        document = connection.scalar(query)
        if document is None:
            row = {"channel": self._channel, "endpoint": endpoint, "calendar": _document_of(Calendar())}
            connection.execute(insert_on_conflict(connection, rate_limits).values(row).on_conflict_do_nothing())
            document = connection.execute(query).scalar_one()
        return _calendar_of(document)

    def _write(self, connection: Connection, endpoint: str, calendar: Calendar) -> None:
        connection.execute(
            update(rate_limits).where(self._is(endpoint)).values(calendar=_document_of(calendar)),
        )

    def _is(self, endpoint: str) -> ColumnElement[bool]:
        return (rate_limits.c.channel == self._channel) & (rate_limits.c.endpoint == endpoint)


class _DatabaseClock:
    """The database's clock, read with every question and told in between by this process's own.

    It is right to half of a round trip; slow round trips are not believed while there are better ones.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = time.time() - time.monotonic()
        self._round_trip = float("inf")
        self._read_at = float("-inf")

    def now(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            return time.monotonic() + self._ahead

    def read(self, connection: Connection) -> float:
        """Ask the database."""
        asked = time.monotonic()
        now = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        answered = time.monotonic()
        with self._lock:
            if answered - asked <= self._round_trip or answered - self._read_at > _CLOCK_STALE_SECONDS:
                self._ahead = now - (asked + answered) / 2
                self._round_trip = answered - asked
                self._read_at = answered
        return now


def _document_of(calendar: Calendar) -> dict[str, Any]:
    return {"given": sorted(calendar.given.items()), "held": calendar.held, "askers": calendar.askers}


def _calendar_of(document: Mapping[str, Any]) -> Calendar:
    return Calendar(dict(document["given"]), document["held"], dict(document["askers"]))
