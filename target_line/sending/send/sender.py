"""Send claimed requests and record what came of each.

The retry key, the body and the people were made durable before a request comes here, so that at every point where the
process can die the next run sends the same bytes with the same key, and LINE accepts them at most once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import UnreachableError
from line_core.api.retry import pauses
from line_core.errors import LineError
from line_core.message_status import MessageStatus
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome
from target_line.sending.send.responses import Accepted, Refused, SlowDown, Stop, Uncertain, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_core.api.client import LineClient
    from line_core.api.rate_limit.limiter import RateLimiter
    from target_line.run_report import RunReport
    from target_line.sending.claim.claims import Claimed, RequestClaims
    from target_line.sending.claim.quota import Allowance
    from target_line.sending.decide.decider import Decided, Decider, Page
    from target_line.sending.ledger import Ledger
    from target_line.sending.send.responses import Verdict

_IN_FLIGHT = 256
_STALE_AFTER = timedelta(seconds=5)
_QUEUE_SIZE = 2000
_RECORD_SIZE = 1000
_RECORD_SECONDS = 0.2
_ATTEMPTS = 6
_PROGRESS_SECONDS = 10

T = TypeVar("T")


def _path(request: ClaimedRequest) -> str:
    return f"/v2/bot/message/{request.method}"


@dataclass(frozen=True, slots=True)
class _Unsent:
    """A request that LINE has certainly not accepted and that is not tried again in this run."""

    request: ClaimedRequest


class Sender:
    """One run's sending: claims, sends and records until nothing is due, or until something speaks against going on."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that a run is made of, put together in one place
        self,
        ledger: Ledger,
        claims: RequestClaims,
        client: LineClient,
        rate_limiter: RateLimiter,
        decider: Decider,
        allowance: Allowance,
        report: RunReport,
    ) -> None:
        """Prepare; `run` does it.

        Args:
            ledger: The channel's messages.
            claims: The channel's requests.
            client: An open client.
            rate_limiter: What paces the client; told when LINE asks to slow down.
            decider: Says what to do with each due message.
            allowance: To how many people may be sent.
            report: Told what became of the messages.
        """
        self._ledger = ledger
        self._claims = claims
        self._client = client
        self._rate_limiter = rate_limiter
        self._decider = decider
        self._allowance = allowance
        self._report = report
        self._logger = logging.getLogger("target-line.sending")
        self._claimed: asyncio.Queue[ClaimedRequest | None] = asyncio.Queue(_QUEUE_SIZE)
        self._outcomes: asyncio.Queue[RequestOutcome | _Unsent | None] = asyncio.Queue()
        self._database = asyncio.Lock()
        self._stop: LineError | None = None
        self._planned = 0
        self._done = 0
        self._left_claimed = 0
        self._short_of: LineError | None = None
        """What kept messages from being claimed; what was claimed before is sent all the same."""

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
        if self._left_claimed:
            self._logger.warning(
                "%s requests may or may not have arrived; the next run asks LINE again under the same retry keys",
                f"{self._left_claimed:,}",
            )
        if why := self._stop or self._short_of:
            raise why

    def stop(self, why: LineError) -> None:
        """Send nothing more; what is under way is finished and recorded, then `run` raises the first reason given."""
        self._stop = self._stop or why

    def stop_if(self, why: LineError | None) -> None:
        """Stop, if there is a reason to."""
        if why:
            self.stop(why)

    async def _feed(self) -> None:
        try:
            await self._claim_all()
        except LineError as error:
            self.stop(error)
        for _ in range(_IN_FLIGHT):
            await self._claimed.put(None)

    async def _claim_all(self) -> None:
        """Queue what earlier runs left claimed, then claim what is due, page by page."""
        leftovers, unknown = await self._in_database(self._claims.unfinished)
        if unknown:
            self._report.add_unsent({(MessageStatus.UNKNOWN, Reason.RETRY_KEY_EXPIRED): unknown})
        if leftovers:
            self._logger.info(
                "%s requests of an earlier run are sent again, under their retry keys", f"{len(leftovers):,}"
            )
        self._planned = sum(request.messages for request in leftovers)
        self._planned += await self._in_database(self._ledger.count_due)
        for request in leftovers:
            await self._claimed.put(request)
        pages = self._decider.pages(self._ledger)
        coming = self._read_ahead(pages)
        rest: list[Decided] = []
        try:
            while self._stop is None and (page := await coming) is not None:
                messages = rest + page.messages
                if datetime.now(UTC) - page.decided_at > _STALE_AFTER:  # LINE has kept us waiting
                    messages = await asyncio.to_thread(self._decider.decide, [item.due for item in messages])
                coming = self._read_ahead(pages)
                claim = await self._claim_page(messages, is_last=page.is_last)
                if claim.allowance_spent:
                    break
                rest = claim.rest
        finally:
            await asyncio.gather(coming, return_exceptions=True)

    @staticmethod
    def _read_ahead(pages: Iterator[Page]) -> asyncio.Task[Page | None]:
        """Read a page while the one before it is claimed and sent; None at the end."""
        return asyncio.create_task(asyncio.to_thread(next, pages, None))

    async def _claim_page(self, messages: list[Decided], *, is_last: bool) -> Claimed:
        claim = await self._in_database(
            partial(self._claims.claim, messages, is_last=is_last, cap=self._decider.cap, allow=self._allowance),
        )
        self._allowance.took(sum(request.messages for request in claim.requests))
        self._report.add_unsent(claim.settled)
        self._done += sum(claim.settled.values())
        for request in claim.requests:
            await self._claimed.put(request)
        if claim.allowance_spent:
            still_due = await self._in_database(self._ledger.count_due)
            if error := self._allowance.spent(still_due):
                self._short_of = error
            else:
                self._logger.info("max_sends_per_run is reached; %s messages stay scheduled", f"{still_due:,}")
        self.stop_if(self._report.reject_limit_error())
        return claim

    async def _work(self) -> None:
        while (request := await self._claimed.get()) is not None:
            parts = [request]
            while parts:
                outcome = await self._send(parts.pop())
                if isinstance(outcome, list):
                    parts += outcome
                elif outcome is not None:
                    await self._outcomes.put(outcome)
                else:
                    self._left_claimed += 1

    async def _send(self, request: ClaimedRequest) -> RequestOutcome | list[ClaimedRequest] | _Unsent | None:
        """Try a request until LINE has spoken.

        Returns:
            What came of it; of a multicast that LINE refuses because of somebody in it, its halves, to be sent
            instead; None if LINE never spoke, and may have accepted it all the same.
        """
        may_be_accepted = not request.fresh
        trouble: SlowDown | Uncertain | None = None
        for attempt, pause in enumerate(pauses(_ATTEMPTS), start=1):
            if isinstance(trouble, SlowDown):
                self._rate_limiter.pause(endpoint_of("POST", _path(request)), pause)
            await asyncio.sleep(pause)
            if self._stop:
                break
            match await self._attempt(request):
                case Accepted(request_id=request_id):
                    return RequestOutcome(request, MessageStatus.ACCEPTED, attempt, request_id)
                case Refused(words=words, of_content=of_content):
                    halves = [] if of_content else await self._split(request, words)
                    return halves or RequestOutcome(request, MessageStatus.REJECTED, attempt, error=words)
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

    async def _split(self, request: ClaimedRequest, words: str) -> list[ClaimedRequest]:
        if request.messages == 1:
            return []
        try:
            return await self._in_database(partial(self._claims.split, request, words))
        except LineError as error:
            self.stop(error)
            return []

    async def _attempt(self, request: ClaimedRequest) -> Verdict:
        try:
            reply = await self._client.request(
                "POST",
                _path(request),
                body=request.body.encode(),
                headers={"X-Line-Retry-Key": request.retry_key},
            )
        except UnreachableError as error:
            return Uncertain(error) if error.may_have_arrived else SlowDown(error)
        return verdict_of(reply)

    async def _record(self) -> None:
        """Write outcomes, as many at once as have come in."""
        began = told = time.monotonic()
        finished = False
        while not finished:
            batch = [await self._outcomes.get()]
            while len(batch) < _RECORD_SIZE and not self._outcomes.empty():
                batch.append(self._outcomes.get_nowait())
            finished = None in batch
            results = [outcome for outcome in batch if isinstance(outcome, RequestOutcome)]
            unsent = [outcome.request for outcome in batch if isinstance(outcome, _Unsent)]
            try:
                await self._in_database(partial(self._claims.finish, results))
                if unsent:
                    await self._in_database(partial(self._claims.release, unsent))
            except LineError as error:
                # Sending on without a record would be blind. What is not recorded stays claimed, under its key.
                self.stop(error)
                continue
            self._report.add_results(results)
            self._done += sum(result.request.messages for result in results)
            self.stop_if(self._report.reject_limit_error())
            if not finished and self._stop is None:
                # Each commit waits for the disk; what is lost by a crash, LINE knows by its key.
                await asyncio.sleep(_RECORD_SECONDS)
            if time.monotonic() - told >= _PROGRESS_SECONDS:
                told = time.monotonic()
                self._tell_progress(told - began)

    def _tell_progress(self, seconds: float) -> None:
        left = self._allowance.quota_left()
        self._logger.info(
            "%s of %s messages done, %s a second, quota left %s",
            f"{self._done:,}",
            f"{self._planned:,}",
            f"{self._done / seconds:,.0f}",
            "unlimited" if left is None else f"{left:,}",
        )

    async def _in_database(self, work: Callable[[], T]) -> T:
        """Run a piece of database work beside the event loop; one at a time, since SQLite has one writer."""
        async with self._database:
            return await asyncio.to_thread(work)
