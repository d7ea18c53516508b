"""A lane: the places of one endpoint that this process was given, and who waits for them.

Places are asked for in batches, twice as many as were used since the last time, and before the last batch is used up.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from line_core.api.rate_limit.schedule import Pace

# Of a span's calls, how many a batch may have. Only in slots that are not yet given out can missed ones be caught up.
_BATCH = 0.2
_REMEMBERED_LEADS = 3

Steps = Generator["Future[None] | float", None, "Place"]
"""What to do until one's place has come: wait for a future, or for so many seconds, again and again."""
Run = Callable[[Callable[[], None]], "Future[None]"]
"""Has something done, here or in another thread."""


class Place(NamedTuple):
    """A call may be made from a time on, for a while."""

    at: float
    until: float
    slot: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for places came to."""

    asked_at: float
    places: Mapping[int, int]
    """How many, by slot."""
    held_until: float
    """Since LINE answered 429, no place before this is to be used."""
    free_at: float
    """If there was no place: when there may be one."""


class Calendars(Protocol):
    """Keeps the calendars of all endpoints of a channel."""

    def now(self) -> float:
        """The time that all who share them go by, in seconds."""

    def ask(self, endpoint: str, pace: Pace, unused: Mapping[int, int], wanted: int, lead: float) -> Answer:
        """Give places back that were not used, and ask for others; see `Calendar.give_out`."""

    def pause(self, endpoint: str, pace: Pace, until: float) -> None:
        """Have no place of the endpoint before a time."""


class Lane:
    """The places of one endpoint. Safe to share between threads."""

    def __init__(self, endpoint: str, pace: Pace, calendars: Calendars, run: Run) -> None:
        """Begin with no place.

        Args:
            endpoint: Method and path template.
            pace: Its limit.
            calendars: Whom to ask for places.
            run: Does the asking.
        """
        self._endpoint = endpoint
        self._pace = pace
        self._calendars = calendars
        self._run = run
        self._lock = threading.RLock()
        self._places: deque[Place] = deque()
        self._few = 0
        self._asking: Future[None] | None = None
        self._waiting = 0
        self._used = 0
        self._unused: Counter[int] = Counter()
        self._leads: deque[float] = deque(maxlen=_REMEMBERED_LEADS)
        self._held_until = 0.0
        self._is_holding = False
        self._free_at = 0.0

    def steps(self) -> Steps:
        """The steps until a place has come, which is returned and can be used now."""
        with self._lock:
            self._waiting += 1
        try:
            while True:
                with self._lock:
                    step = self._next()
                if not isinstance(step, Place):
                    yield step
                    continue
                while (seconds := step.at - self._calendars.now()) > 0:
                    yield seconds
                if self.is_usable(step):
                    return step
                self.give_up(step)
        finally:
            with self._lock:
                self._waiting -= 1

    def try_acquire(self) -> Place | None:
        """A place that can be used now, if there is one."""
        place = self._take_here()
        if place is None and not self._places:
            with self._lock:
                asking = self._ask()
            asking.result()
            place = self._take_here()
        return place

    def is_usable(self, place: Place) -> bool:
        """Whether the time of a place has neither passed nor been taken away by a 429."""
        return self._calendars.now() < place.until and place.at >= self._held_until

    def use(self) -> None:
        """Count that a place is used."""
        with self._lock:
            self._used += 1

    def give_up(self, place: Place) -> None:
        """Give a place back, unused."""
        with self._lock:
            self._unused[place.slot] += 1

    def pause(self, seconds: float) -> None:
        """Use no place for so long, and let nobody else."""
        until = self._calendars.now() + seconds
        with self._lock:
            if until <= self._held_until:
                return
            self._held_until = until
            if not self._is_holding:  # many requests under way are answered 429 at once
                self._is_holding = True
                self._run(self._hold_now)

    def _next(self) -> Place | Future[None] | float:
        now = self._calendars.now()
        while self._places:
            place = self._places.popleft()
            if self.is_usable(place):
                if len(self._places) < self._few:
                    self._ask()
                return place
            self._unused[place.slot] += 1
        return self._free_at - now if self._free_at > now else self._ask()

    def _take_here(self) -> Place | None:
        now = self._calendars.now()
        with self._lock:
            while self._places and self._places[0].at <= now:
                place = self._places.popleft()
                if self.is_usable(place):
                    return place
                self._unused[place.slot] += 1
        return None

    def _ask(self) -> Future[None]:
        """Ask for places, unless that is under way."""
        if self._asking is None or self._asking.done():
            wanted = max(1, self._waiting)
            if self._pace.is_short:
                wanted = max(1, min(max(wanted, 2 * self._used), int(self._pace.calls * _BATCH)))
            unused, self._unused, self._used = self._unused, Counter(), 0
            lead = min(self._leads, default=0.0)
            self._asking = self._run(lambda: self._ask_now(unused, wanted, lead))
        return self._asking

    def _hold_now(self) -> None:
        """Tell the calendar, until it knows the latest."""
        told = 0.0
        try:
            while told < self._held_until:
                told = self._held_until
                self._calendars.pause(self._endpoint, self._pace, told)
        finally:
            self._is_holding = False

    def _ask_now(self, unused: Mapping[int, int], wanted: int, lead: float) -> None:
        answer = self._calendars.ask(self._endpoint, self._pace, unused, wanted, lead)
        with self._lock:
            self._leads.append(max(0.0, self._calendars.now() - answer.asked_at))
            self._held_until = max(self._held_until, answer.held_until)
            self._free_at = answer.free_at
            for slot, count in sorted(answer.places.items()):
                start, end = self._pace.start_of(slot), self._pace.end_of(slot)
                each = self._pace.slot_seconds / count
                self._places.extend(Place(start + number * each, end, slot) for number in range(count))
            self._few = len(self._places) // 2
