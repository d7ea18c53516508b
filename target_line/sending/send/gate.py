"""The checks that a request must pass right before it leaves, after all waiting.

A request can wait long after the decision to send it: for the rate limiter, after a 429, in a queue. So everything that
can forbid it is asked here once more. A further reason to hold requests back belongs here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from target_line.sending.claim.request_body import SendMethod
from target_line.sending.decide.decisions import valid_until_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.claim.planner import PagePlanner
    from target_line.sending.decide.decider import DueMessages, DuePage
    from target_line.sending.send.run_control import RunControl

_REFRESH_AGE = timedelta(seconds=10)
MAX_DECISION_AGE = timedelta(seconds=15)
"""A decision that is older when the request leaves is made again. Without a long wait it is younger."""


class HeldBackError(Exception):
    """The request must not leave in this run. If it never left, its messages are scheduled again."""


class DecisionChangedError(Exception):
    """The messages of the request are decided differently now. It never left."""

    def __init__(self, page: DuePage) -> None:
        super().__init__("the decision has changed")
        self.page = page
        """The messages with the new decisions."""


class DepartureGate:
    """Asked for each request before it leaves."""

    def __init__(
        self,
        control: RunControl,
        due: DueMessages,
        planner: PagePlanner,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Let everything pass that is still right.

        Args:
            control: Says whether the run stops.
            due: Decides again about the messages of a request.
            planner: Compares the new decisions with the request.
            clock: Returns the time.
        """
        self._control = control
        self._due = due
        self._planner = planner
        self._clock = clock
        self._paused: set[SendMethod] = set()
        self._max_quota: float | None = None
        self._confirmed: set[str] = set()
        """Retry keys of requests that were just decided again, with the same result."""

    def pause_method(self, method: SendMethod) -> None:
        """Hold back all further requests of a method in this run."""
        self._paused.add(method)

    def limit_quota(self, request: ClaimedRequest) -> None:
        """Hold back requests that need as much quota as one that LINE refused for its quota, or more."""
        quota = _quota_of(request)
        self._max_quota = quota if self._max_quota is None else min(self._max_quota, quota)

    def holds_everything(self) -> bool:
        """Return whether even a request with one recipient needs too much quota."""
        return self._max_quota is not None and self._max_quota <= 1

    def admit(
        self, request: ClaimedRequest, leaves: Callable[[], None], *, may_be_accepted: bool
    ) -> Awaitable[None] | None:
        """Let a request leave, or return an awaitable that decides again; then ask again.

        Args:
            request: The request.
            leaves: Called if it leaves.
            may_be_accepted: Whether LINE may have accepted an earlier attempt. Then only the same request can be sent.

        Raises:
            RunStoppedError: The run stops.
            HeldBackError: The request must not leave in this run.
            DecisionChangedError: Raised by the awaitable: the messages are decided differently now.
        """
        if request.never_attempted:
            raise RuntimeError("the request is not marked as attempted in the store")
        self._control.check()
        needs_too_much = self._max_quota is not None and _quota_of(request) >= self._max_quota
        if request.method in self._paused or needs_too_much:
            raise HeldBackError
        now = self._clock()
        if not request.fresh and request.valid_until is not None and request.valid_until <= now:
            raise HeldBackError
        if not may_be_accepted and not self._is_confirmed(request, now):
            return self._decide_again(request)
        self._control.leave()
        self._confirmed.discard(request.retry_key)
        leaves()
        return None

    def refresh(self, requests: Sequence[ClaimedRequest]) -> list[ClaimedRequest]:
        """Decide again about requests that have waited, many at once, so that few are decided when they leave.

        Returns:
            All requests. Those whose decision is the same have its new time; the others are decided when they leave.
        """
        now = self._clock()
        old = [
            request.retry_key
            for request in requests
            if request.decided_at is not None and not timedelta(0) <= now - request.decided_at <= _REFRESH_AGE
        ]
        if not old:
            return list(requests)
        pages = self._due.decide_claimed(old)
        return [
            replace(request, decided_at=page.decided_at, valid_until=valid_until_of(page.messages))
            if (page := pages.get(request.retry_key)) and self._planner.sends_by(page.messages, request)
            else request
            for request in requests
        ]

    def _is_confirmed(self, request: ClaimedRequest, now: datetime) -> bool:
        if request.retry_key in self._confirmed:
            return True
        if request.decided_at is None or (request.valid_until is not None and request.valid_until <= now):
            return False
        return timedelta(0) <= now - request.decided_at <= MAX_DECISION_AGE

    async def _decide_again(self, request: ClaimedRequest) -> None:
        with self._control.uninterrupted():
            pages = await self._control.in_database(partial(self._due.decide_claimed, [request.retry_key]))
            page = pages[request.retry_key]
            if not self._planner.sends_by(page.messages, request):
                raise DecisionChangedError(page)
            self._confirmed.add(request.retry_key)


def _quota_of(request: ClaimedRequest) -> float:
    """Return the quota that a request needs. Broadcasts and narrowcasts need an unknown number."""
    return math.inf if request.method in (SendMethod.BROADCAST, SendMethod.NARROWCAST) else request.recipients
