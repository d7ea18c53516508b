"""Record the outcomes of requests in the ledger, many in one commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from line_core.errors import LineError
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.send.progress import SendProgress
    from target_line.sending.send.run_control import RunControl

_MAX_BATCH = 1000
_BATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """A request that LINE has certainly not accepted, and that this run does not send again."""

    request: ClaimedRequest


@dataclass(frozen=True, slots=True)
class SetAside:
    """A request that LINE has certainly not accepted, while it accepts others. It is tried again later."""

    request: ClaimedRequest
    reason: str


@dataclass(frozen=True, slots=True)
class LeftClaimed:
    """A request that LINE may have accepted. The next run sends it again with its retry key."""

    request: ClaimedRequest
    attempts: int


Recordable = RequestOutcome | NotAccepted | SetAside | LeftClaimed


class OutcomeRecorder:
    """Records outcomes until the end of the queue."""

    def __init__(self, claims: RequestClaims, progress: SendProgress, control: RunControl) -> None:
        """Store the dependencies.

        Args:
            claims: The channel's requests.
            progress: Counts the messages.
            control: Stopped if an outcome cannot be recorded, or if too many messages are rejected.
        """
        self._claims = claims
        self._progress = progress
        self._control = control
        self._queue: asyncio.Queue[Recordable | None] = asyncio.Queue()

    def put(self, outcome: Recordable) -> None:
        """Queue an outcome."""
        self._queue.put_nowait(outcome)

    def close(self) -> None:
        """End `run` after all queued outcomes are recorded."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Record outcomes as they arrive. Wait shortly between commits, because each one waits for the disk."""
        finished = False
        while not finished:
            batch = [await self._queue.get()]
            while len(batch) < _MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            finished = None in batch
            try:
                await self._record([item for item in batch if item is not None])
            except LineError as error:
                # Do not send without recording. Unrecorded requests stay claimed, with their retry keys.
                self._control.stop(error)
                continue
            self._control.stop(self._progress.reject_limit_error())
            if not finished and self._control.stop_reason is None:
                # After a crash in this time, the next run sends the unrecorded requests again with their retry keys.
                await asyncio.sleep(_BATCH_SECONDS)

    async def _record(self, batch: Sequence[Recordable]) -> None:
        outcomes = [item for item in batch if isinstance(item, RequestOutcome)]
        not_accepted = [item.request for item in batch if isinstance(item, NotAccepted)]
        in_database = self._control.in_database
        await in_database(partial(self._claims.record_outcomes, outcomes))
        if not_accepted:
            await in_database(partial(self._claims.return_to_scheduled, not_accepted))
        for item in batch:
            match item:
                case SetAside(request=request, reason=reason):
                    await in_database(partial(self._claims.set_aside, [request], reason))
                case LeftClaimed(request=request, attempts=attempts) if attempts:
                    await in_database(partial(self._claims.count_attempts, request, attempts))
        self._progress.add_outcomes(outcomes)
