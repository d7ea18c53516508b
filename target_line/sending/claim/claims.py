"""Ledger claims: requests that are stored, with their retry keys, before their first byte is sent.

A claim stores a request's retry key, body and messages in one commit. After that the request does not change until LINE
has accepted or rejected it. After a crash, a later run sends the same bytes with the same retry key.

Status transitions of messages:

| from | to | method |
|---|---|---|
| scheduled | claimed | `claim`: the message is sent now |
| scheduled | skipped | `claim`: it must not be sent |
| scheduled | rejected | `claim`: it is invalid |
| scheduled | scheduled | `claim`: it is postponed (new `due_at`) |
| claimed | accepted, rejected | `record_outcomes` |
| claimed | unknown | `take_over_unfinished`: the retry key has expired |
| claimed | claimed | `split_multicast`: the message moves to a new request |
| claimed | scheduled | `return_to_scheduled`, `set_aside`: LINE has certainly not accepted the request; |
| | | `release_never_attempted`: a run that stopped had not sent it; |
| | | `Staging`, `Ledger`: it was not sent, and it or another message of the request is corrected or withdrawn |
| claimed | rejected | `set_aside`: LINE has answered 429 for this message for too long |

A request begins as claimed and ends as accepted, rejected or unknown. A request whose messages are scheduled again is
deleted.

A claim is `never_attempted` until `mark_attempted` is committed, and no request is sent before that. So the messages of
a claim that a stopped run left behind are decided again, unless their request may have left. A message of such a claim
can be corrected and withdrawn also while its run is still sending.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from line_core.message_status import MessageStatus
from line_core.store.clock import database_now
from line_core.store.dialects import in_values, insert_many, update_many
from line_core.store.tables import ledger as tables
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import (
    ClaimedRequest,
    RequestOutcome,
    record_outcomes,
    record_request_outcomes,
)
from target_line.sending.claim.plan import halves_of
from target_line.sending.claim.release import release_never_attempted, reschedule
from target_line.sending.claim.request_body import RequestBody, SendMethod
from target_line.sending.claim.retry_keys import RetryKeyAssigner
from target_line.sending.claim.unfinished import (
    expire_keys,
    mark_attempted,
    set_aside,
    take_over,
)
from target_line.sending.decide.decisions import Invalid, Postponed, Send, Skipped, address_of
from target_line.sending.ledger import STREAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.planner import PagePlan, PagePlanner
    from target_line.sending.decide.decider import DuePage
    from target_line.sending.decide.decisions import DecidedMessage
    from target_line.sending.ledger import Ledger
    from target_line.sending.quota import SendAllowance


_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class ClaimResult:
    """Result of a claim."""

    requests: list[ClaimedRequest] = field(default_factory=list)
    """Requests to send now."""
    unsent: Counter[tuple[MessageStatus, Reason]] = field(default_factory=Counter)
    """Number of skipped, rejected and postponed messages."""
    carried_over: list[DecidedMessage] = field(default_factory=list)
    """Messages that belong to the next page."""
    limit_reached: bool = False
    """Whether messages that could be sent stay scheduled because the allowance is used up."""


class _AlreadyTakenError(Exception):
    """A message of the page is no longer scheduled."""


class RequestClaims:
    """The requests of one channel, as one run uses them."""

    def __init__(self, ledger: Ledger, planner: PagePlanner) -> None:
        """Store the dependencies.

        Args:
            ledger: The channel's messages.
            planner: Groups messages into requests.
        """
        self._store = ledger.store
        self._channel = ledger.channel
        self._run_id = ledger.run_id
        self._ledger = ledger
        self.planner = planner
        self.retry_keys = RetryKeyAssigner(ledger.channel)

    def claim(self, page: DuePage, allowance: SendAllowance, *, leaves_now: bool = False) -> ClaimResult:
        """Claim the messages of a page that are sent now, and record the decisions about the others, in one commit.

        Args:
            page: Messages that the previous page carried over, then the page's own messages.
            allowance: Number of messages that may be claimed.
            leaves_now: Whether the requests are sent without `mark_attempted`.
        """
        try:
            return self._claim(page, allowance, only_scheduled=False, leaves_now=leaves_now)
        except _AlreadyTakenError:  # another run has claimed some of them since the page was read, which is rare
            return self._claim(page, allowance, only_scheduled=True, leaves_now=leaves_now)

    def mark_attempted(self, requests: Sequence[ClaimedRequest]) -> list[ClaimedRequest]:
        """Record that requests may leave now, in one commit.

        Returns:
            The requests that this run may send. The others were released by another run.
        """
        fresh = [request.retry_key for request in requests if request.never_attempted]
        if not fresh:
            return list(requests)
        with self._store.write() as connection:
            marked = mark_attempted(connection, self._run_id, fresh)
        return [
            replace(request, never_attempted=False)
            for request in requests
            if not request.never_attempted or request.retry_key in marked
        ]

    def release_never_attempted(self) -> int:
        """Return the claims of other runs that were certainly never sent to scheduled, and count their messages.

        A run that is still sending finds at `mark_attempted` that they are gone.
        """
        with self._store.write(lock="ledger") as connection:
            return release_never_attempted(connection, self._channel, self._run_id)

    def take_over_unfinished(self) -> tuple[list[ClaimedRequest], int]:
        """Take over the requests of other runs that may have been sent. Those with an expired key become unknown.

        A run whose requests are taken over can still send them, because the retry key is the same. It can no longer
        return them to scheduled.

        Returns:
            The requests to send again, and the number of messages that became unknown.
        """
        with self._store.write(lock="ledger") as connection:
            now = database_now(connection)
            unknown = expire_keys(connection, self._channel, now)
            return take_over(connection, self._channel, self._run_id, now), unknown

    def record_outcomes(self, outcomes: Sequence[RequestOutcome]) -> None:
        """Record the outcomes of requests and of their messages."""
        if outcomes:
            with self._store.write() as connection:
                record_outcomes(connection, self._channel, outcomes)

    def return_to_scheduled(self, requests: Iterable[ClaimedRequest]) -> None:
        """Delete requests that LINE has certainly not accepted, and schedule their messages again.

        Requests that another run has taken over stay claimed, because that run may have sent them.
        """
        with self._store.write(lock="ledger") as connection:
            keys = self._own(connection, requests)
            reschedule(connection, keys)

    def set_aside(self, requests: Sequence[ClaimedRequest], reason: str) -> None:
        """Schedule the messages of requests for a later try, and count it. After a day of tries, reject them.

        Args:
            requests: Requests that LINE has certainly not accepted. Of those that another run has taken over, nothing
                is changed.
            reason: LINE's reason text.
        """
        with self._store.write(lock="ledger") as connection:
            now = database_now(connection)
            rejects = set_aside(connection, self._own(connection, requests), reason, now)
            save_rejects(connection, self._channel, rejects)

    def count_attempts(self, request: ClaimedRequest, attempts: int) -> None:
        """Add attempts to a request that stays claimed."""
        table = tables.requests
        with self._store.write() as connection:
            new = {"attempts": table.c.attempts + attempts}
            connection.execute(update(table).where(table.c.retry_key == request.retry_key).values(new))

    def read_message_id(self, request: ClaimedRequest) -> str:
        """Return the id of a message of the request, for log lines."""
        messages = tables.messages.c
        query = select(messages.message_id).where(messages.retry_key == request.retry_key).limit(1)
        with self._store.read() as connection:
            return str(connection.execute(query).scalar())

    def split_multicast(self, request: ClaimedRequest, error: str) -> list[ClaimedRequest]:
        """Replace a multicast that LINE rejected with two requests for half of the recipients each, in one commit.

        Args:
            request: The rejected request.
            error: LINE's reason text.

        Returns:
            The two requests, with new retry keys. Empty, and nothing is changed, if the request cannot be split.
        """
        if request.method is not SendMethod.MULTICAST:
            return []
        body = RequestBody.decode(request.body)
        messages = tables.messages.c
        with self._store.write(lock="ledger") as connection:
            query = select(messages.line_id, messages.message_id).where(
                messages.retry_key == request.retry_key, messages.status == MessageStatus.CLAIMED
            )
            message_id_of = dict(connection.execute(query).all())
            line_ids = body.to if isinstance(body.to, tuple) else ()
            if len(line_ids) < 2 or message_id_of.keys() != set(line_ids):  # noqa: PLR2004 - one recipient cannot be split
                return []
            halves = self.retry_keys.assign(
                connection, halves_of(body, line_ids, message_id_of), random=bool(self.planner.policy.test_recipients)
            )
            record_request_outcomes(connection, [RequestOutcome(request, MessageStatus.REJECTED, 1, error=error)])
            inserted = self._insert(connection, halves, leaves_now=True)
            now = datetime.now(UTC)
            rows = [
                {"message_id": message_id, "retry_key": key, "updated_at": now}
                for key, half in halves
                for message_id in half.message_ids
            ]
            of_channel = messages.channel == self._channel
            update_many(connection, tables.messages, messages.message_id, rows, where=of_channel)
        decided_at = request.decided_at or _NEVER
        return [replace(half, decided_at=decided_at, valid_until=request.valid_until) for half in inserted]

    def _claim(self, page: DuePage, allowance: SendAllowance, *, only_scheduled: bool, leaves_now: bool) -> ClaimResult:
        """Claim a page.

        Args:
            page: The page.
            allowance: Number of messages that may be claimed.
            only_scheduled: Read first which messages are still scheduled, and leave the others out.
            leaves_now: Whether the requests are sent without `mark_attempted`.

        Raises:
            _AlreadyTakenError: A message is no longer scheduled. Nothing is changed.
        """
        if not page.messages:
            return ClaimResult()
        # The lock makes quota and frequency caps exact: they count all claims of other runs.
        with self._store.write(lock="ledger") as connection:
            if only_scheduled:
                first, last = page.messages[0].due.cursor, page.messages[-1].due.cursor
                scheduled = self._ledger.still_scheduled(connection, first, last)
                page = replace(page, messages=[item for item in page.messages if item.due.message_id in scheduled])
            plan = self.planner.plan(connection, page, max_messages=allowance.remaining(connection))
            unsent = self._record_unsent(connection, plan.messages)
            requests = self._persist_requests(connection, plan, leaves_now=leaves_now)
            requests = [replace(request, decided_at=page.decided_at) for request in requests]
        return ClaimResult(requests, unsent, plan.carried_over, plan.limit_reached)

    def _record_unsent(
        self, connection: Connection, messages: Sequence[DecidedMessage]
    ) -> Counter[tuple[MessageStatus, Reason]]:
        """Record skipped, invalid and postponed messages, and return their numbers."""
        counts: Counter[tuple[MessageStatus, Reason]] = Counter()
        finished: list[dict[str, Any]] = []
        postponed: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        for item in messages:
            row: dict[str, Any] = {"message_id": item.due.message_id}
            match item.decision:
                case Skipped(reason=reason, line_id=line_id):
                    status = MessageStatus.SKIPPED
                    finished.append({**row, "status": status, "reason": reason, "detail": None, "line_id": line_id})
                    counts[status, reason] += 1
                case Invalid(reason=reason, detail=detail):
                    status = MessageStatus.REJECTED
                    finished.append({**row, "status": status, "reason": reason, "detail": detail, "line_id": None})
                    rejects.append(Reject(STREAM, item.due.record, reason, detail))
                    counts[status, reason] += 1
                case Postponed(reason=reason, until=until):
                    postponed.append({**row, "reason": reason, "due_at": until})
                    counts[MessageStatus.SCHEDULED, reason] += 1
        for rows in (finished, postponed):
            self._update_scheduled(connection, rows)
        save_rejects(connection, self._channel, rejects)
        return counts

    def _persist_requests(self, connection: Connection, plan: PagePlan, *, leaves_now: bool) -> list[ClaimedRequest]:
        """Insert the requests of a plan and link their messages to them."""
        test_recipients = self.planner.policy.test_recipients
        planned_requests = [
            replace(planned, valid_until=_valid_until(planned, plan.sends)) for planned in plan.requests
        ]
        # A test may send the same content again.
        requests = self.retry_keys.assign(connection, planned_requests, random=bool(test_recipients))
        claimed = self._insert(connection, requests, leaves_now=leaves_now)
        rows = [
            {"message_id": message_id, "line_id": address_of(plan.sends[message_id].to), "retry_key": key}
            for key, planned in requests
            for message_id in planned.message_ids
        ]
        reason = Reason.TEST_RECIPIENTS if test_recipients else None
        self._update_scheduled(connection, rows, status=MessageStatus.CLAIMED, reason=reason)
        return claimed

    def _update_scheduled(self, connection: Connection, rows: Sequence[dict[str, Any]], **same: Any) -> None:
        messages = tables.messages
        scheduled = (messages.c.channel == self._channel) & (messages.c.status == MessageStatus.SCHEDULED)
        same["updated_at"] = datetime.now(UTC)
        if update_many(connection, messages, messages.c.message_id, rows, where=scheduled, same=same) != len(rows):
            raise _AlreadyTakenError

    def _insert(
        self, connection: Connection, requests: Sequence[tuple[str, PlannedRequest]], *, leaves_now: bool
    ) -> list[ClaimedRequest]:
        """Insert claimed requests, each with its retry key."""
        if not requests:
            return []
        now = database_now(connection)
        claimed = [
            ClaimedRequest(
                key,
                planned.method,
                planned.body.encode(),
                len(planned.message_ids),
                fresh=True,
                recipients=planned.recipients,
                never_attempted=not leaves_now,
                valid_until=planned.valid_until,
            )
            for key, planned in requests
        ]
        rows = [
            {
                "retry_key": request.retry_key,
                "channel": self._channel,
                "method": request.method,
                "body": request.body,
                "recipients": planned.recipients,
                "recipient_kind": planned.recipient_kind,
                "status": MessageStatus.CLAIMED,
                "claimed_by": self._run_id,
                "claimed_at": now,
                "never_attempted": int(not leaves_now),
            }
            for request, (_, planned) in zip(claimed, requests, strict=True)
        ]
        insert_many(connection, tables.requests, rows)
        return claimed

    def _own(self, connection: Connection, requests: Iterable[ClaimedRequest]) -> list[str]:
        """Lock the requests that this run has claimed and may release, and return their retry keys."""
        table = tables.requests.c
        keys = [request.retry_key for request in requests]
        own = (table.claimed_by == self._run_id) & (table.status == MessageStatus.CLAIMED)
        query = select(table.retry_key).where(in_values(connection, table.retry_key, keys), own)
        return list(connection.execute(query.with_for_update()).scalars())


def _valid_until(planned: PlannedRequest, sends: Mapping[str, Send]) -> datetime | None:
    """Return the earliest time at which a decision about the messages of a request is made again."""
    times = [time for message_id in planned.message_ids if (time := sends[message_id].valid_until) is not None]
    return min(times, default=None)
