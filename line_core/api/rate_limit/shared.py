"""A rate limiter that all processes on one store share.

The state of each endpoint's limit is a row of the store. A process leases a batch of permits in one short transaction,
so thousands of calls per second need a few transactions. SQLite has one writer at a time; Postgres locks the row. The
commit counts permits before the process receives them, so a store that is slow or fails reduces the rate and never
raises it.

After a 429 the process that received it pauses immediately. The other processes read the pause with their next lease:
within half a second for limits per second, before the next call for the other limits.
"""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select, text, update

from line_core.api.rate_limit.endpoint_limiter import Lease
from line_core.api.rate_limit.limiter import LeasingRateLimiter
from line_core.api.rate_limit.schedule import LimitState
from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.limits import rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from line_core.api.rate_limit.schedule import Schedule
    from line_core.store import Store

_CLOCK_MAX_AGE_SECONDS = 10
_STATE_COLUMNS = (
    rate_limits.c.next_at,
    rate_limits.c.granted,
    rate_limits.c.paused_until,
    rate_limits.c.requesters,
)


class SharedRateLimiter(LeasingRateLimiter):
    """The rate limiter of one channel, for all processes that share a store.

    Use it in a `with` block, or close it, before the store is closed. Its methods raise StoreError if the store fails.
    """

    def __init__(
        self,
        store: Store,
        channel: str,
        max_requests_per_second: float | None = None,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Start without permits.

        Args:
            store: An open store.
            channel: Your name for the channel.
            max_requests_per_second: An upper bound over all endpoints, for this process alone.
            clock: Returns seconds, the same for all processes on the store; default the machine's clock on SQLite, the
                database's on Postgres.
        """
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="rate-limiter")
        source = StorePermitSource(store, channel, clock)
        super().__init__(source, self._executor.submit, max_requests_per_second)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], store: Store, channel: str) -> Self:
        """Create the rate limiter of a channel from the settings of a tap or target."""
        return cls(store, channel, config.get("max_requests_per_second"))

    def close(self) -> None:
        """Cancel the requests for permits that have not started."""
        self._executor.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StorePermitSource:
    """Grants permits from the limit states in the store. Methods raise StoreError if the store fails."""

    def __init__(self, store: Store, channel: str, clock: Callable[[], float] | None = None) -> None:
        """Use an open store; see `SharedRateLimiter` for the arguments."""
        self._store = store
        self._channel = channel
        self._requester = uuid.uuid4().hex
        self._clock = clock or (time.time if store.is_sqlite else None)
        self._database_clock = _DatabaseClock()

    def now(self) -> float:
        return self._clock() if self._clock else self._database_clock.now()

    def lease(self, endpoint: str, schedule: Schedule, wanted: int, lead_seconds: float) -> Lease:
        with self._locked_state(endpoint) as (connection, state):
            now = self._now(connection)  # read under the lock, which may have taken long
            permits = schedule.grant(state, self._requester, now, wanted, lead_seconds)
            available_at = now if permits else schedule.available_at(state, now)
            return Lease(now, permits, schedule.max_permits(state), state.paused_until, available_at)

    def pause(self, endpoint: str, schedule: Schedule, until: float) -> None:
        with self._locked_state(endpoint) as (_, state):
            schedule.pause(state, until)

    def _now(self, connection: Connection) -> float:
        return self._clock() if self._clock else self._database_clock.read(connection)

    @contextmanager
    def _locked_state(self, endpoint: str) -> Iterator[tuple[Connection, LimitState]]:
        """Read a state for update; write it at the end of the block, in the same transaction."""
        is_row = (rate_limits.c.channel == self._channel) & (rate_limits.c.endpoint == endpoint)
        query = select(*_STATE_COLUMNS).where(is_row).with_for_update()
        with self._store.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                new = {"channel": self._channel, "endpoint": endpoint, **_row_of(LimitState())}
                connection.execute(insert_on_conflict(connection, rate_limits).values(new).on_conflict_do_nothing())
                row = connection.execute(query).one()
            state = LimitState(*row)
            yield connection, state
            connection.execute(update(rate_limits).where(is_row).values(_row_of(state)))


def _row_of(state: LimitState) -> dict[str, object]:
    return {column.name: getattr(state, column.name) for column in _STATE_COLUMNS}


class _DatabaseClock:
    """The database's clock, read with every lease and extrapolated between leases by the monotonic clock.

    A reading is exact to half of its round trip. A reading with a longer round trip replaces an earlier one only when
    that one is older than ten seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time() - time.monotonic()
        self._round_trip = float("inf")
        self._read_at = float("-inf")

    def now(self) -> float:
        """Return seconds since 1970."""
        with self._lock:
            return time.monotonic() + self._offset

    def read(self, connection: Connection) -> float:
        """Query the database's clock."""
        start = time.monotonic()
        now = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        end = time.monotonic()
        with self._lock:
            if end - start <= self._round_trip or end - self._read_at > _CLOCK_MAX_AGE_SECONDS:
                self._offset = now - (start + end) / 2
                self._round_trip = end - start
                self._read_at = end
        return now
