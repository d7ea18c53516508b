"""Send claimed requests and record what came of each.

The retry key, the body and the people were made durable before a request comes here, so that at every point where the
process can die the next run sends the same bytes with the same key, and LINE accepts them at most once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import UnreachableError
from line_core.api.retry import pauses
from line_core.errors import LineError
from target_line.sending.ledger import Request, Result, Status
from target_line.sending.verdict import Accepted, Refused, SlowDown, Stop, Uncertain, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from line_core.api.client import LineClient
    from line_core.api.limits import Limits
    from target_line.report import Report
    from target_line.sending.ledger import Decide, Ledger
    from target_line.sending.verdict import Verdict

_IN_FLIGHT = 256
_CLAIM_SIZE = 2000
_RECORD_SIZE = 500
_ATTEMPTS = 6
_PROGRESS_SECONDS = 10
_PATHS = {"push": "/v2/bot/message/push"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Unsent:
    """A request that LINE has certainly not accepted and that is not tried again in this run."""

    request: Request


class Sender:
    """One run's sending: claims, sends and records until nothing is due, or until something speaks against going on."""

    def __init__(self, ledger: Ledger, client: LineClient, limits: Limits, decide: Decide, report: Report) -> None:
        """Prepare; `run` does it.

        Args:
            ledger: The channel's ledger.
            client: An open client.
            limits: What paces the client; told when LINE asks to slow down.
            decide: Says what to do with each due message record.
            report: Told what became of the messages.
        """
        self._ledger = ledger
        self._client = client
        self._limits = limits
        self._decide = decide
        self._report = report
        self._logger = logging.getLogger("target-line.sending")
        self._claimed: asyncio.Queue[Request | None] = asyncio.Queue(_CLAIM_SIZE)
        self._outcomes: asyncio.Queue[Result | _Unsent | None] = asyncio.Queue()
        self._database = asyncio.Lock()
        self._stop: LineError | None = None
        self._done = 0
        self._left_claimed = 0

    async def run(self) -> None:
        """Send all that is due.

        Raises:
            LineError: Something speaks against going on; what was not sent stays in the ledger for the next run.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._record())
            async with asyncio.TaskGroup() as sending:
                sending.create_task(self._feed())
                for _ in range(_IN_FLIGHT):
                    sending.create_task(self._work())
            await self._outcomes.put(None)
        if self._stop:
            if self._left_claimed:
                self._logger.warning(
                    "%s messages may or may not have arrived; the next run asks LINE again under the same retry keys",
                    f"{self._left_claimed:,}",
                )
            raise self._stop

    def stop(self, why: LineError) -> None:
        """Send nothing more; what is under way is finished and recorded, then `run` raises the first reason given."""
        self._stop = self._stop or why

    async def _feed(self) -> None:
        try:
            await self._claim_all()
        except LineError as error:
            self.stop(error)
        for _ in range(_IN_FLIGHT):
            await self._claimed.put(None)

    async def _claim_all(self) -> None:
        """Queue what earlier runs left claimed, then claim what is due, batch by batch."""
        leftovers = await self._in_database(self._ledger.unfinished)
        if leftovers:
            self._logger.info(
                "%s requests of an earlier run are sent again, under their retry keys", f"{len(leftovers):,}"
            )
        for request in leftovers:
            await self._claimed.put(request)
        while self._stop is None:
            claim = await self._in_database(partial(self._ledger.claim, _CLAIM_SIZE, self._decide))
            self._report.add_settled(claim.settled)
            for request in claim.requests:
                await self._claimed.put(request)
            if not claim.due:
                break

    async def _work(self) -> None:
        while (request := await self._claimed.get()) is not None:
            outcome = await self._send(request)
            if outcome is not None:
                await self._outcomes.put(outcome)
            else:
                self._left_claimed += 1

    async def _send(self, request: Request) -> Result | _Unsent | None:
        """Try a request until LINE has spoken; None if it never did, and may have accepted it all the same."""
        may_be_accepted = not request.fresh
        trouble: SlowDown | Uncertain | None = None
        for attempt, pause in enumerate(pauses(_ATTEMPTS), start=1):
            if isinstance(trouble, SlowDown):
                self._limits.hold(endpoint_of("POST", _PATHS[request.method]), pause)
            await asyncio.sleep(pause)
            if self._stop:
                break
            match await self._attempt(request):
                case Accepted(request_id=request_id):
                    return Result(request.retry_key, Status.ACCEPTED, attempt, request_id)
                case Refused(words=words):
                    return Result(request.retry_key, Status.REJECTED, attempt, error=words)
                case Stop(error=error):
                    self.stop(error)
                case Uncertain() as trouble:
                    may_be_accepted = True
                case SlowDown() as trouble:
                    pass
        else:
            if trouble:
                self.stop(trouble.error)
        return None if may_be_accepted else _Unsent(request)

    async def _attempt(self, request: Request) -> Verdict:
        try:
            reply = await self._client.request(
                "POST",
                _PATHS[request.method],
                body=request.body.encode(),
                headers={"X-Line-Retry-Key": request.retry_key},
            )
        except UnreachableError as error:
            return Uncertain(error) if error.may_have_arrived else SlowDown(error)
        return verdict_of(reply)

    async def _record(self) -> None:
        """Write outcomes, as many at once as have come in."""
        told = time.monotonic()
        finished = False
        while not finished:
            batch = [await self._outcomes.get()]
            while len(batch) < _RECORD_SIZE and not self._outcomes.empty():
                batch.append(self._outcomes.get_nowait())
            finished = None in batch
            results = [outcome for outcome in batch if isinstance(outcome, Result)]
            unsent = [outcome.request.retry_key for outcome in batch if isinstance(outcome, _Unsent)]
            try:
                await self._in_database(partial(self._ledger.finish, results))
                await self._in_database(partial(self._ledger.release, unsent))
            except LineError as error:
                # Sending on without a record would be blind. What is not recorded stays claimed, under its key.
                self.stop(error)
                continue
            self._report.add_results(results)
            self._done += len(results)
            if time.monotonic() - told >= _PROGRESS_SECONDS:
                told = time.monotonic()
                self._logger.info("%s messages sent so far", f"{self._done:,}")

    async def _in_database(self, work: Callable[[], T]) -> T:
        """Run a piece of database work beside the event loop; one at a time, since SQLite has one writer."""
        async with self._database:
            return await asyncio.to_thread(work)
