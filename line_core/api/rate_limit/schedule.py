"""How a rate limit is shared out: time is cut into slots, and each slot has places for calls.

A place may be used in its own slot and for a little while after it, and no run of slots that a span of the limit's
length can touch has more places than the limit has calls. So the limit holds in every span, however late within their
time places are used, and whoever uses them. What was not used may be given back, and is caught up with.

All of this is arithmetic on one `Calendar`; who keeps it, and for whom, is told in `limits` and `shared_limits`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SLOTS = 100
"""In a span. More would lose fewer calls to the slots at a span's ends, and leave less time to use a place."""
_LEAST_LIFE = 2
_SHORT_SECONDS = 60
# Of a short span, how much faster than steadily calls may follow each other while they catch up.
_CATCH_UP = 1.25


@dataclass(frozen=True)
class Pace:
    """So many calls in every span of so many seconds, in slots."""

    calls: int
    seconds: float

    @classmethod
    def of(cls, calls: float, seconds: float) -> Pace:
        """The pace of a limit; of less than one call a span it is one call in a longer span."""
        whole = max(1, int(calls))
        return cls(whole, seconds * whole / calls)

    @property
    def is_short(self) -> bool:
        """Whether places come by the second: they are asked for ahead, and spread over the span."""
        return self.seconds < _SHORT_SECONDS

    @property
    def slot_seconds(self) -> float:
        """Length of a slot."""
        return self.seconds / _SLOTS

    @cached_property
    def life(self) -> int:
        """Slots in which a place may be used: its own, and more for who comes late; else he might always be."""
        return max(_LEAST_LIFE, self._apart) if self.is_short else _LEAST_LIFE

    @cached_property
    def rules(self) -> tuple[tuple[int, int], ...]:
        """Pairs of a number of slots in a row, and how many places they may have together."""
        limit = (_SLOTS + self.life, self.calls)
        if not self.is_short:
            return (limit,)
        return limit, (self._apart, math.ceil(self.calls * _CATCH_UP / _SLOTS))

    def slot_at(self, time: float) -> int:
        """The slot that a time is in."""
        return int(time // self.slot_seconds)

    def start_of(self, slot: int) -> float:
        """When a slot begins."""
        return slot * self.slot_seconds

    def end_of(self, slot: int) -> float:
        """When the places of a slot can be used no more."""
        return (slot + self.life) * self.slot_seconds

    @property
    def _apart(self) -> int:
        """How many slots the calls of a short span are at least apart."""
        return max(1, int(_SLOTS / self.calls / _CATCH_UP))


@dataclass
class Calendar:
    """Which places of an endpoint are given out."""

    given: dict[int, int] = field(default_factory=dict)
    """How many, by slot."""
    held: int = 0
    """The first slot in which LINE may be asked again after a 429."""
    askers: dict[str, int] = field(default_factory=dict)
    """Who has asked for places lately, and in which slot they did."""

    def give_out(self, pace: Pace, asker: str, now: float, wanted: int, *, lead: float = 0.0) -> dict[int, int]:
        """Give out places.

        Args:
            pace: The endpoint's.
            asker: Who asks. Of a short span's slots everybody who asks gets a share.
            now: The time, in seconds.
            wanted: How many places. Of a short span all are found, be it far ahead; of a long one only what is free
                now.
            lead: Seconds that the answer will be on its way; places before that would be of no use.

        Returns:
            How many, by slot.
        """
        current = pace.slot_at(now)
        self._forget_before(current - 2 * _SLOTS)
        self.askers[asker] = current
        first = max(pace.slot_at(now + lead) if pace.is_short else current, self.held)
        share = math.ceil(pace.rules[-1][1] / len(self.askers)) if pace.is_short else wanted
        places: dict[int, int] = {}
        for slot, room in self._rooms(pace, first):
            if not wanted or (not pace.is_short and slot > current):
                break
            if count := min(room, wanted, share):
                self.given[slot] = self.given.get(slot, 0) + count
                places[slot] = count
                wanted -= count
        return places

    def next_room(self, pace: Pace, now: float) -> float:
        """When there is a place to be had."""
        first = max(pace.slot_at(now), self.held)
        slot = next(slot for slot, room in self._rooms(pace, first) if room)
        return pace.start_of(slot) + pace.slot_seconds / _SLOTS  # well within it, whatever floats make of its start

    def take_back(self, unused: Mapping[int, int]) -> None:
        """Take back places that were not used and never will be."""
        for slot, count in unused.items():
            if slot >= self.held and slot in self.given:
                self.given[slot] = max(0, self.given[slot] - count)

    def pause(self, pace: Pace, until: float) -> None:
        """Have no place before then, and go on steadily: LINE's bucket is empty."""
        held = pace.slot_at(until) + 1
        if held <= self.held:
            return
        self.held = held
        self.given = {slot: count for slot, count in self.given.items() if slot >= held}
        for number in range(pace.calls):
            slot = held - _SLOTS + number * _SLOTS // pace.calls
            self.given[slot] = self.given.get(slot, 0) + 1

    def _rooms(self, pace: Pace, first: int) -> Iterator[tuple[int, int]]:
        """The slots from one on, and how many more places each may have."""
        slot = first
        while True:
            yield slot, max(0, min(calls - self._most_around(slot, width) for width, calls in pace.rules))
            slot += 1

    def _most_around(self, slot: int, width: int) -> int:
        """The most places that so many slots in a row have, of all such rows that a slot is in."""
        counts = [self.given.get(near, 0) for near in range(slot - width + 1, slot + width)]
        most = row = sum(counts[:width])
        for leaving, coming in zip(counts, counts[width:], strict=False):
            row += coming - leaving
            most = max(most, row)
        return most

    def _forget_before(self, slot: int) -> None:
        self.given = {given: count for given, count in self.given.items() if given >= slot and count}
        self.askers = {asker: asked for asker, asked in self.askers.items() if asked >= slot + _SLOTS}
