"""Record the outcomes of requests in the ledger, many in one commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from line_core.errors import LineError
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome

if TYPE_CHECKING:
    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.send.progress import SendProgress
    from target_line.sending.send.run_control import RunControl

_MAX_BATCH = 1000
_BATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """A request that LINE has certainly not accepted, and that this run does not send again."""

    request: ClaimedRequest


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
        self._queue: asyncio.Queue[RequestOutcome | NotAccepted | None] = asyncio.Queue()

    async def put(self, outcome: RequestOutcome | NotAccepted) -> None:
        """Queue an outcome."""
        await self._queue.put(outcome)

    async def close(self) -> None:
        """End `run` after all queued outcomes are recorded."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Record outcomes as they arrive. Wait shortly between commits, because each one waits for the disk."""
        finished = False
        while not finished:
            batch = [await self._queue.get()]
            while len(batch) < _MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            finished = None in batch
            outcomes = [item for item in batch if isinstance(item, RequestOutcome)]
            not_accepted = [item.request for item in batch if isinstance(item, NotAccepted)]
            try:
                await self._control.in_database(partial(self._claims.record_outcomes, outcomes))
                if not_accepted:
                    await self._control.in_database(partial(self._claims.return_to_scheduled, not_accepted))
            except LineError as error:
                # Do not send without recording. Unrecorded requests stay claimed, with their retry keys.
                self._control.stop(error)
                continue
            self._progress.add_outcomes(outcomes)
            self._control.stop(self._progress.reject_limit_error())
            if not finished and self._control.stop_reason is None:
                # After a crash in this time, the next run sends the unrecorded requests again with their retry keys.
                await asyncio.sleep(_BATCH_SECONDS)
            self._progress.log_if_due()
