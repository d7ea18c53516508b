"""Pacing: ask LINE no faster than it allows, and slow down when it says so.

LINE counts per channel and endpoint (method and path template), whatever the parameters, body or caller. Its buckets
refill gradually and their sizes are not published, so a limit is kept strictly: in no span of its length are there more
calls than it allows. What a busy machine has missed it may catch up with inside such a span.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from line_core.api.rate_limit.endpoint_limiter import Answer, Lane
from line_core.api.rate_limit.schedule import Calendar, Pace
from line_core.api.rate_limit.table import rate_limit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from line_core.api.rate_limit.endpoint_limiter import Calendars, Place, Run

# Of the bound over all endpoints: requests do not arrive exactly as they were sent, and what was missed is caught up.
_MARGIN = 1.01
_CATCH_UP = 1.25


class RateLimiter(Protocol):
    """Gives out places to send in, for one channel. Safe to share between threads."""

    def acquire(self, endpoint: str) -> None:
        """Take the endpoint's next place and sleep until it comes."""

    async def acquire_async(self, endpoint: str) -> None:
        """Take the endpoint's next place and let other tasks run until it comes."""

    def try_acquire(self, endpoint: str) -> bool:
        """Take a place that is free now; tells whether there was one."""

    def pause(self, endpoint: str, seconds: float) -> None:
        """LINE answered 429: give out no place before that time has passed."""


class PacedRateLimiter:
    """A rate limiter whose places come from somebody's calendars."""

    def __init__(self, calendars: Calendars, run: Run, max_requests_per_second: float | None = None) -> None:
        """Begin with no place.

        Args:
            calendars: Keep LINE's limits.
            run: Does the asking for places.
            max_requests_per_second: An upper bound over all endpoints, for this process alone.
        """
        self._calendars = calendars
        self._run = run
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._bound = _Bound(max_requests_per_second) if max_requests_per_second else None

    def steps(self, endpoint: str) -> Generator[Future[None] | float, None, None]:
        """What to do until a call may be made: wait for a future, or so many seconds, again and again."""
        lane = self._lane(endpoint)
        while True:
            if self._bound:
                yield from self._bound.steps(self._calendars.now)
            place = yield from lane.steps()
            if self._use(lane, place):
                return

    def acquire(self, endpoint: str) -> None:
        """Take the endpoint's next place and sleep until it comes."""
        for step in self.steps(endpoint):
            if isinstance(step, Future):
                step.result()
            else:
                time.sleep(step)

    async def acquire_async(self, endpoint: str) -> None:
        """Take the endpoint's next place and let other tasks run until it comes."""
        for step in self.steps(endpoint):
            if isinstance(step, Future):
                await asyncio.shield(asyncio.wrap_future(step))
            else:
                await asyncio.sleep(step)

    def try_acquire(self, endpoint: str) -> bool:
        """Take a place that is free now; tells whether there was one."""
        lane = self._lane(endpoint)
        place = lane.try_acquire()
        return place is not None and self._use(lane, place)

    def pause(self, endpoint: str, seconds: float) -> None:
        """Give out no place of the endpoint before that time has passed."""
        self._lane(endpoint).pause(seconds)

    def _use(self, lane: Lane, place: Place) -> bool:
        """Use a place, unless the bound over all endpoints forbids it now."""
        if self._bound is None or self._bound.try_acquire(self._calendars.now()):
            lane.use()
            return True
        lane.give_up(place)
        return False

    def _lane(self, endpoint: str) -> Lane:
        with self._lock:
            lane = self._lanes.get(endpoint)
            if lane is None:
                pace = Pace.of(*rate_limit_of(endpoint))
                lane = self._lanes[endpoint] = Lane(endpoint, pace, self._calendars, self._run)
        return lane


class _Bound:
    """At most so many calls a second, whatever they are."""

    def __init__(self, calls: float) -> None:
        """Begin with nothing called; `calls` is how many a second may have, less than one for longer spans."""
        most = max(1, int(calls))
        self._seconds = most / calls * _MARGIN
        self._spacing = self._seconds / most / _CATCH_UP
        self._calls: deque[float] = deque(maxlen=most)
        self._waiting = 0
        self._lock = threading.Lock()

    def steps(self, clock: Callable[[], float]) -> Generator[float, None, None]:
        """The seconds to wait until there is room for a call; who waits longest comes first."""
        with self._lock:
            turn, self._waiting = self._waiting, self._waiting + 1
        try:
            while (seconds := self._free_at() + turn * self._spacing - clock()) > 0:
                yield seconds
                turn = 0
        finally:
            with self._lock:
                self._waiting -= 1

    def try_acquire(self, now: float) -> bool:
        """Count a call now; tells whether there is room for it."""
        with self._lock:
            if self._free_at() > now:
                return False
            self._calls.append(now)
            return True

    def _free_at(self) -> float:
        if not self._calls:
            return float("-inf")
        full = self._calls[0] + self._seconds if len(self._calls) == self._calls.maxlen else 0.0
        return max(full, self._calls[-1] + self._spacing)


class LocalRateLimiter(PacedRateLimiter):
    """The limits of one channel in one process, which nobody else calls LINE for."""

    def __init__(
        self, max_requests_per_second: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing called.

        Args:
            max_requests_per_second: An upper bound over all endpoints, below LINE's own.
            clock: Seconds that never go back.
        """
        super().__init__(LocalCalendars(clock), run_here, max_requests_per_second)


class LocalCalendars:
    """Calendars that nobody shares."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with no place given out; `clock` tells the time in seconds."""
        self.now = clock
        self._calendars: dict[str, Calendar] = {}

    def ask(self, endpoint: str, pace: Pace, unused: Mapping[int, int], wanted: int, lead: float) -> Answer:
        """Give places back that were not used, and ask for others."""
        return answer_of(self._calendar(endpoint), "", pace, self.now(), unused, wanted, lead)

    def pause(self, endpoint: str, pace: Pace, until: float) -> None:
        """Have no place of the endpoint before a time."""
        self._calendar(endpoint).pause(pace, until)

    def _calendar(self, endpoint: str) -> Calendar:
        return self._calendars.setdefault(endpoint, Calendar())


def run_here(work: Callable[[], None]) -> Future[None]:
    """Do a piece of work at once."""
    done: Future[None] = Future()
    try:
        work()
        done.set_result(None)
    except Exception as error:  # noqa: BLE001 - for whoever waits for the future
        done.set_exception(error)
    return done


def answer_of(  # noqa: PLR0913, PLR0917 - what was asked, as it came
    calendar: Calendar, asker: str, pace: Pace, now: float, unused: Mapping[int, int], wanted: int, lead: float
) -> Answer:
    """Ask a calendar."""
    calendar.take_back(unused)
    places = calendar.give_out(pace, asker, now, wanted, lead=lead)
    free_at = now if places else calendar.next_room(pace, now)
    return Answer(now, places, pace.start_of(calendar.held), free_at)
