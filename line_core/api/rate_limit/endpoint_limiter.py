"""The permits of one endpoint that this process has leased, and the callers that wait for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from line_core.api.rate_limit.schedule import MAX_AHEAD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_core.api.rate_limit.schedule import Schedule

_LEAD_SAMPLES = 3

WaitSteps = Generator[Future[None] | float, None, bool]
"""The waits before a call: a future to wait for, or a time in seconds to sleep."""
Submit = Callable[[Callable[[], None]], Future[None]]
"""Runs a function that uses the store, in this thread or in another one."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The permits that a process received; times in seconds, by the clock of the permit source."""

    leased_at: float
    permits: Sequence[float]
    max_permits: int
    """How many unused permits the process may have."""
    paused_until: float
    available_at: float
    """If there are no permits: when to ask again."""


class PermitSource(Protocol):
    """Grants permits to all processes that call LINE for one channel."""

    def now(self) -> float:
        """Return the time of the clock that all of these processes share, in seconds."""

    def lease(self, endpoint: str, schedule: Schedule, wanted: int, lead_seconds: float) -> Lease:
        """Lease permits; see `Schedule.grant`."""

    def pause(self, endpoint: str, schedule: Schedule, until: float) -> None:
        """Grant no permit of the endpoint before `until`."""


class EndpointLimiter:
    """A queue of leased permits. Safe to share between threads.

    If the schedule leases ahead, the queue is refilled when it has less than half of the permits that the process may
    have. The size of a lease follows the number of calls since the last one.
    """

    def __init__(
        self,
        endpoint: str,
        schedule: Schedule,
        source: PermitSource,
        submit: Submit,
        admit: Callable[[float], bool],
    ) -> None:
        """Start without permits.

        Args:
            endpoint: Method and path template.
            schedule: The endpoint's rate limit.
            source: Grants the permits.
            submit: Runs the requests for permits.
            admit: Called with the time before a permit is used; returns False to forbid the call.
        """
        self._endpoint = endpoint
        self._schedule = schedule
        self._source = source
        self._submit = submit
        self._admit = admit
        self._lock = threading.RLock()
        self._permits: deque[float] = deque()
        self._leasing: Future[None] | None = None
        self._max_permits = 1
        self._waiting = 0
        self._sleeping = 0
        self._used = 0
        self._leads: deque[float] = deque(maxlen=_LEAD_SAMPLES)
        self._paused_until = 0.0
        self._available_at = 0.0

    def steps(self) -> WaitSteps:
        """Yield the waits until a permit can be used, and use it.

        Returns:
            True, or False if `admit` forbade the call; then the permit stays in the queue.
        """
        with self._lock:
            self._waiting += 1
        is_next = False
        try:
            while True:
                with self._lock:
                    # A caller that slept for a permit takes the first one. Others leave one to each sleeping caller.
                    used = self._try_use(ahead=0 if is_next else self._sleeping)
                    if used is not None:
                        return used
                    is_next = self._sleeping < len(self._permits)  # a permit for each sleeping caller and this one
                    wait = self._permits[self._sleeping] - self._source.now() if is_next else self._wait_for_lease()
                    self._sleeping += is_next
                try:
                    yield wait
                finally:
                    with self._lock:
                        self._sleeping -= is_next
        finally:
            with self._lock:
                self._waiting -= 1

    def try_acquire(self) -> bool:
        """Use a permit if one can be used now; requests one from the source if the queue is empty."""
        with self._lock:
            result = self._try_use(self._sleeping)
            leasing = self._lease() if result is None and not self._permits else None
        if leasing:
            leasing.result()
            with self._lock:
                result = self._try_use(self._sleeping)
        return bool(result)

    def pause(self, seconds: float) -> None:
        """Use no permit for `seconds`, in this process at once and in every process by way of the source."""
        until = self._source.now() + seconds
        with self._lock:
            if until > self._paused_until:
                self._paused_until = until
                self._submit(lambda: self._source.pause(self._endpoint, self._schedule, until))

    def _try_use(self, ahead: int) -> bool | None:
        """Use the first permit, if `ahead` more can be used now; None if they cannot."""
        now = self._source.now()
        permits = self._permits
        if permits and permits[-1] > now + MAX_AHEAD_SECONDS:  # the clock was set back
            permits.clear()
        if self._paused_until > now + MAX_AHEAD_SECONDS:
            self._paused_until = now
        while permits and (permits[0] + self._schedule.tolerance <= now or permits[0] < self._paused_until):
            permits.popleft()
        if len(permits) <= ahead or permits[ahead] > now:
            return None
        if not self._admit(now):
            return False
        permits.popleft()
        self._used += 1
        if self._schedule.leases_ahead and len(permits) < self._max_permits / 2:
            self._lease()
        return True

    def _wait_for_lease(self) -> Future[None] | float:
        is_low = len(self._permits) < self._max_permits / 2
        seconds = (self._available_at if is_low else self._permits[-1]) - self._source.now()
        return seconds if 0 < seconds <= MAX_AHEAD_SECONDS else self._lease()

    def _lease(self) -> Future[None]:
        """Request permits, unless a request is in flight."""
        if self._leasing is None or self._leasing.done():
            wanted = max(self._waiting, 2 * self._used if self._schedule.leases_ahead else 0)
            if self._permits:
                wanted = min(wanted, self._max_permits - len(self._permits))
            lead = min(self._leads, default=0.0)
            self._used = 0
            self._leasing = self._submit(lambda: self._lease_now(max(1, wanted), lead))
        return self._leasing

    def _lease_now(self, wanted: int, lead_seconds: float) -> None:
        lease = self._source.lease(self._endpoint, self._schedule, wanted, lead_seconds)
        with self._lock:
            self._leads.append(max(0.0, self._source.now() - lease.leased_at))
            self._max_permits = lease.max_permits
            self._paused_until = max(self._paused_until, lease.paused_until)
            # Asked again within a minute, so that a clock that is set back does not stop the calls.
            self._available_at = min(lease.available_at, lease.leased_at + MAX_AHEAD_SECONDS)
            self._permits.extend(lease.permits)
