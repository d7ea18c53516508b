"""Rules of one rate limit: when calls may be made. Pure functions of a state and a time, without I/O.

A *permit* allows one call. It has a time `at` and may be used until `at + tolerance`. A permit that is not used in that
time expires; it stays counted, so permits that a process never used cannot make the channel exceed its limit.

Both schedules guarantee the same bound: no time span of the limit's length has more calls than the limit. LINE counts
with token buckets that refill gradually and does not publish their sizes, so the bound assumes none.

Source: LINE Messaging API reference, "Rate limits".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from line_core.api.rate_limit.table import RateLimit

GCRA_TOLERANCE = 0.025
"""Time in which a permit may be used, as a share of the limit's length. It reduces the rate by the same share."""
_WINDOW_TOLERANCE = 0.02
# Of `seconds / calls`. Callers that always wake up later than the tolerance would never use a permit.
_MIN_TOLERANCE = 0.8
_SHORT_SECONDS = 60
_AHEAD_SHARE = 0.4
_MAX_LEAD_SECONDS = 30.0
MAX_AHEAD_SECONDS = 60.0
"""A stored time later than this is no result of leases and pauses: the clock was set back. It is not waited for."""


@dataclass(slots=True)
class LimitState:
    """State of one endpoint's limit; times in seconds since 1970."""

    next_at: float = 0.0
    """GCRA: the theoretical arrival time, which is the time of the next permit that nobody has."""
    granted: list[float] = field(default_factory=list)
    """Sliding window: times of the permits of the last span, ascending."""
    paused_until: float = 0.0
    """No permit is granted before this time (LINE answered 429)."""
    requesters: dict[str, float] = field(default_factory=dict)
    """GCRA: when each process last asked for permits."""


class Schedule(ABC):
    """A rate limit of `calls` calls in any `seconds` seconds."""

    leases_ahead: ClassVar[bool]
    """Whether permits for later times are granted, so that a process requests them before it needs them."""

    def __init__(self, calls: int, seconds: float, tolerance: float) -> None:
        self.calls = calls
        self.seconds = seconds
        self.tolerance = tolerance
        # Calls of any span [t, t + seconds) use permits of (t - tolerance, t + seconds): the limit holds for this span.
        self._span = seconds + tolerance

    @abstractmethod
    def grant(self, state: LimitState, requester: str, now: float, wanted: int, lead_seconds: float) -> list[float]:
        """Grant at most `wanted` permits and update the state.

        Args:
            state: The endpoint's state.
            requester: The process that requests the permits.
            now: The time.
            wanted: Number of permits.
            lead_seconds: Time until the process can use the first permit: the duration of a store transaction.

        Returns:
            Times of the permits, ascending. Empty if none is available: see `available_at`.
        """

    @abstractmethod
    def max_permits(self, state: LimitState) -> int:
        """Return how many unused permits a process may have."""

    @abstractmethod
    def available_at(self, state: LimitState, now: float) -> float:
        """Return the earliest time at which `grant` grants a permit."""

    def pause(self, state: LimitState, until: float) -> None:
        """Grant no permit before `until`, and none faster than the steady rate afterwards: LINE's bucket is empty."""
        state.paused_until = max(paused_until_of(state, until), until)


class GcraSchedule(Schedule):
    """Limits per second: the generic cell rate algorithm (GCRA), with one timestamp as its state.

    Permits are `interval` apart. A process leases several consecutive ones at once by advancing the timestamp.
    """

    leases_ahead = True

    def __init__(self, calls: int, seconds: float) -> None:
        super().__init__(calls, seconds, max(GCRA_TOLERANCE, _MIN_TOLERANCE / calls) * seconds)
        # A span of length s, open at one end, has at most ceil(s / interval) points that are `interval` apart.
        self.interval = self._span / calls
        self._max_ahead = max(1, int(calls * _AHEAD_SHARE))

    def grant(self, state: LimitState, requester: str, now: float, wanted: int, lead_seconds: float) -> list[float]:
        state.requesters = {name: at for name, at in state.requesters.items() if at > now - self.seconds}
        state.requesters[requester] = now
        paused_until = paused_until_of(state, now)
        if now < paused_until:
            return []
        usable_from = now + min(lead_seconds, _MAX_LEAD_SECONDS)
        next_at = state.next_at if state.next_at <= usable_from + MAX_AHEAD_SECONDS else usable_from
        # Half of the tolerance makes up for calls that were missed; the other half is left for late wake-ups.
        first = max(next_at, usable_from - self.tolerance / 2, paused_until)
        count = min(wanted, self.max_permits(state))
        state.next_at = first + count * self.interval
        return [first + number * self.interval for number in range(count)]

    def max_permits(self, state: LimitState) -> int:
        # Permits are granted in order of time, so processes with the same number of unused permits get equal shares.
        return max(1, self._max_ahead // max(1, len(state.requesters)))

    def available_at(self, state: LimitState, now: float) -> float:
        return max(now, paused_until_of(state, now))


class SlidingWindowSchedule(Schedule):
    """Limits per minute or hour: a sliding-window log. All calls of a span may be made together.

    GCRA would have to halve the rate to allow half of the calls together.
    """

    leases_ahead = False

    def __init__(self, calls: int, seconds: float) -> None:
        super().__init__(calls, seconds, _WINDOW_TOLERANCE * seconds)

    def grant(self, state: LimitState, requester: str, now: float, wanted: int, lead_seconds: float) -> list[float]:  # noqa: ARG002 - the interface's signature
        state.granted = self._granted(state, now)
        count = min(wanted, self.calls - len(state.granted)) if now >= paused_until_of(state, now) else 0
        permits = [now] * max(0, count)
        state.granted += permits
        return permits

    def max_permits(self, state: LimitState) -> int:  # noqa: ARG002 - the interface's signature
        return self.calls

    def available_at(self, state: LimitState, now: float) -> float:
        granted = self._granted(state, now)
        is_full = len(granted) >= self.calls
        return max(now, paused_until_of(state, now), granted[-self.calls] + self._span if is_full else now)

    def _granted(self, state: LimitState, now: float) -> list[float]:
        """Return the times of the permits of the last span. Times after now, since the clock was set back, are now."""
        times = (at for at in state.granted if at > now - self._span)
        return sorted(at if at <= now + MAX_AHEAD_SECONDS else now for at in times)

    def pause(self, state: LimitState, until: float) -> None:
        if until > state.paused_until or state.paused_until > until + MAX_AHEAD_SECONDS:
            # As if calls had been made at the steady rate until then: LINE refills its empty bucket at this rate.
            state.granted = [until - self._span * (1 - number / self.calls) for number in range(1, self.calls + 1)]
        super().pause(state, until)


def paused_until_of(state: LimitState, now: float) -> float:
    """Return the end of the pause; minus infinity if it is too late to be one."""
    return state.paused_until if state.paused_until <= now + MAX_AHEAD_SECONDS else float("-inf")


def schedule_of(limit: RateLimit) -> Schedule:
    """Return the schedule that keeps a limit."""
    kind = GcraSchedule if limit.seconds < _SHORT_SECONDS else SlidingWindowSchedule
    return kind(limit.calls, limit.seconds)
