"""The claimed requests of one send method on their way to LINE.

A request is `never_attempted` in the store until shortly before it leaves. The lane marks as many requests in one
commit as leave in about half a second, so that a killed run leaves few requests of which it is unknown whether they
were sent. Each method has a lane, so that broadcasts that wait for their hourly limit do not hold up pushes.
"""

from __future__ import annotations

import asyncio
import math
import time
from functools import partial
from typing import TYPE_CHECKING

from line_core.api.endpoints import endpoint_of
from line_core.api.rate_limit.table import rate_limit_of
from line_core.errors import LineError
from target_line.sending.claim.request_body import SendMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.send.gate import DepartureGate
    from target_line.sending.send.run_control import RunControl

WORKERS = {SendMethod.PUSH: 256, SendMethod.MULTICAST: 64, SendMethod.BROADCAST: 4, SendMethod.NARROWCAST: 4}
"""Maximum number of requests of a method in flight."""

_QUEUED = {SendMethod.PUSH: 500, SendMethod.MULTICAST: 40}
_MARKED_SECONDS = 0.5
_FIRST_WINDOW = 64


class Lane:
    """A queue of claimed requests, and a queue of those that may leave."""

    def __init__(
        self,
        method: SendMethod,
        claims: RequestClaims,
        gate: DepartureGate,
        control: RunControl,
        max_per_second: float,
    ) -> None:
        """Start empty.

        Args:
            method: The method of all requests of the lane.
            claims: Marks requests in the store.
            gate: Decides again about requests that have waited.
            control: Stopped if the store fails.
            max_per_second: An upper bound of the requests per second, besides LINE's rate limit.
        """
        limit = rate_limit_of(endpoint_of("POST", method.path))
        self.claimed: asyncio.Queue[ClaimedRequest | None] = asyncio.Queue(_QUEUED.get(method, 0))
        """Requests that are claimed. None ends the lane."""
        self.ready: asyncio.Queue[ClaimedRequest | None] = asyncio.Queue()
        """Requests that may leave. Each None ends a worker."""
        self._claims = claims
        self._gate = gate
        self._control = control
        self._max_window = max(1, int(_MARKED_SECONDS * min(limit.calls / limit.seconds, max_per_second)))
        self._window = min(_FIRST_WINDOW, self._max_window)
        self._marked: set[str] = set()
        self._room = asyncio.Event()

    def has_left(self, request: ClaimedRequest) -> None:
        """Make room for another request."""
        self._marked.discard(request.retry_key)
        if len(self._marked) <= self._window // 2:
            self._room.set()

    async def run(self, workers: int, dispose: Callable[[ClaimedRequest], None], lost: Callable[[int], None]) -> None:
        """Mark the claimed requests in the store, some at a time, until the end of the queue.

        Args:
            workers: Number of workers to end with the lane.
            dispose: Called with each request that must not leave because the run stops.
            lost: Called with the number of messages that another run has claimed meanwhile.
        """
        finished = False
        while not finished:
            batch = [await self.claimed.get()]
            while len(batch) < self._window - len(self._marked) and not self.claimed.empty():
                batch.append(self.claimed.get_nowait())
            finished = None in batch
            requests = [request for request in batch if request is not None]
            for request in await self._mark(requests, lost):
                if self._control.stop_reason:
                    dispose(request)
                else:
                    self._marked.add(request.retry_key)
                    self.ready.put_nowait(request)
            for _ in batch:
                self.claimed.task_done()
            if not finished:
                await self._wait_for_room()
        for _ in range(workers):
            self.ready.put_nowait(None)

    async def _mark(self, requests: list[ClaimedRequest], lost: Callable[[int], None]) -> list[ClaimedRequest]:
        if not requests or self._control.stop_reason:
            return requests
        try:
            marked = await self._control.in_database(partial(self._refresh_and_mark, requests))
        except LineError as error:
            self._control.stop(error)
            return requests
        if len(marked) < len(requests):
            lost(sum(request.messages for request in requests) - sum(request.messages for request in marked))
        return marked

    def _refresh_and_mark(self, requests: list[ClaimedRequest]) -> list[ClaimedRequest]:
        return self._claims.mark_attempted(self._gate.refresh(requests))

    async def _wait_for_room(self) -> None:
        """Wait until half of the marked requests have left, and adapt their number to the time that it took."""
        started = time.monotonic()
        while len(self._marked) > self._window // 2:
            self._room.clear()
            await self._room.wait()
        seconds = time.monotonic() - started
        if seconds > _MARKED_SECONDS:
            self._window = max(1, self._window // 2)
        elif self.ready.empty() or seconds < _MARKED_SECONDS / 4:
            self._window = min(self._max_window, 2 * self._window)


class Lanes:
    """The lanes of all send methods."""

    def __init__(
        self, claims: RequestClaims, gate: DepartureGate, control: RunControl, max_per_second: float | None
    ) -> None:
        """Create a lane for each method.

        Args:
            claims: Marks requests in the store.
            gate: Decides again about requests that have waited.
            control: Stopped if the store fails.
            max_per_second: An upper bound of the requests per second, besides LINE's rate limits; None for none.
        """
        bound = math.inf if max_per_second is None else max_per_second
        self._lanes = {method: Lane(method, claims, gate, control, bound) for method in SendMethod}

    def items(self) -> Iterable[tuple[SendMethod, Lane]]:
        """Return the lanes with their methods."""
        return self._lanes.items()

    async def put(self, request: ClaimedRequest) -> None:
        """Queue a claimed request. Waits if the lane is full."""
        await self._lanes[request.method].claimed.put(request)

    async def wait_until_marked(self) -> None:
        """Wait until all queued requests are marked in the store, or lost to another run."""
        for lane in self._lanes.values():
            await lane.claimed.join()

    async def close(self) -> None:
        """End the lanes after all queued requests."""
        for lane in self._lanes.values():
            await lane.claimed.put(None)
