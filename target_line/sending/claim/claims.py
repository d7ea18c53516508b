"""RequestClaims: what a run is about to send, fixed durably before the first byte leaves.

Claiming commits a request's retry key, body and members at once. From then on the request stays what it is until LINE
has accepted or refused it; whatever crashes, a later run sends the same bytes under the same key.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values, insert_many, update_many
from line_core.store.tables import ledger as tables
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome, finish, finish_requests
from target_line.sending.claim.plan import PlannedRequest, full_chunks, plan
from target_line.sending.decide.rules import Decision, Invalid, Postponed, Send, Skipped, User
from target_line.sending.ledger import STREAM
from target_line.sending.read.recipients import Chat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.store import Store
    from target_line.sending.decide.decider import Decided
    from target_line.sending.ledger import Due, Ledger
    from target_line.sending.policy import SendingPolicy

RETRY_KEY_LIFE = timedelta(hours=24) - timedelta(minutes=5)
"""LINE honours a retry key for 24 hours (LINE: "Retry failed API requests"); clocks differ, so we stop earlier."""

Cap = Callable[[Connection, Sequence[Decision]], Sequence[Decision]]
"""Says what remains of decisions in view of what was sent."""
Allow = Callable[[Connection], int | None]
"""Says to how many people may be sent now; None for any number."""


@dataclass(slots=True)
class Claimed:
    """What a claim came to."""

    requests: list[ClaimedRequest] = field(default_factory=list)
    """To be sent now."""
    settled: Counter[tuple[MessageStatus, Reason]] = field(default_factory=Counter)
    """Messages that ended without a request, and those that are held back (still scheduled)."""
    rest: list[Decided] = field(default_factory=list)
    """Messages that were left for the next page."""
    allowance_spent: bool = False
    """Whether something that could have gone stays scheduled, since no more is allowed."""


class _TakenError(Exception):
    """A message is not scheduled any more."""


class RequestClaims:
    """The requests of one channel, as one run sees them."""

    def __init__(self, store: Store, channel: str, run_id: str, ledger: Ledger, policy: SendingPolicy) -> None:
        """Use an open store.

        Args:
            store: Where the ledger is.
            channel: Name of the channel that sends.
            run_id: Names the run that claims.
            ledger: The channel's messages.
            policy: How messages are put into requests.
        """
        self._store = store
        self._channel = channel
        self._run_id = run_id
        self._ledger = ledger
        self._policy = policy

    def claim(self, page: Sequence[Decided], *, is_last: bool, cap: Cap, allow: Allow) -> Claimed:
        """Claim those messages of a page that are to be sent, and settle the others, all in one commit.

        Args:
            page: Due messages in the order of their places, and what was decided about them.
            is_last: Whether none will follow. Else some of the last ones are left for the next page, so that chunks of
                a multicast are full.
            cap: Asked what remains of the decisions in view of what was sent.
            allow: Asked how many may be sent to.
        """
        try:
            return self._claim(page, is_last, cap, allow, sure=False)
        except _TakenError:  # by another run, since the page was read; seldom, so it is not asked beforehand
            return self._claim(page, is_last, cap, allow, sure=True)

    def _claim(self, page: Sequence[Decided], is_last: bool, cap: Cap, allow: Allow, *, sure: bool) -> Claimed:  # noqa: FBT001 - passed on
        """Claim a page; `sure` says to look first which messages are still to be had.

        Raises:
            _TakenError: One of them is not; nothing is changed then.
        """
        claimed = Claimed()
        if not page:
            return claimed
        # Alone, so that quota and frequency caps are judged by all that other runs have claimed.
        with self._store.write(lock="ledger") as connection:
            if sure:
                free = self._ledger.still_scheduled(connection, page[0].due.cursor, page[-1].due.cursor)
                page = [item for item in page if item.due.message_id in free]
            decisions = cap(connection, [item.decision for item in page])
            if not is_last:
                acted_on = full_chunks(decisions)
                claimed.rest = list(page[acted_on:])
                page, decisions = page[:acted_on], decisions[:acted_on]
            sends = [
                (item.due.message_id, decision)
                for item, decision in zip(page, decisions, strict=True)
                if isinstance(decision, Send)
            ]
            allowed = allow(connection)
            if allowed is not None and len(sends) > allowed:
                claimed.allowance_spent = True
                sends = sends[:allowed]
            requests = [(str(uuid.uuid4()), planned) for planned in plan(sends, self._policy)]
            self._settle(connection, [item.due for item in page], decisions, claimed)
            self._fix(connection, requests, dict(sends))
        claimed.requests = [
            ClaimedRequest(key, planned.method, planned.body, len(planned.members), fresh=True)
            for key, planned in requests
        ]
        return claimed

    def unfinished(self) -> tuple[list[ClaimedRequest], int]:
        """Take over the claimed requests of other runs; those whose retry key is dead become unknown instead.

        A run whose requests were taken over may go on sending them, since the key is the same, but not release them.

        Returns:
            What to send again, and how many messages became unknown.
        """
        now = datetime.now(UTC)
        requests = tables.requests.c
        claimed = (requests.channel == self._channel) & (requests.status == MessageStatus.CLAIMED)
        with self._store.write(lock="ledger") as connection:
            dead = self._requests(connection, claimed & (requests.claimed_at <= now - RETRY_KEY_LIFE))
            finish(connection, self._channel, [RequestOutcome(request, MessageStatus.UNKNOWN, 0) for request in dead])
            others = claimed & (requests.claimed_by != self._run_id)
            alive = self._requests(connection, others)
            connection.execute(update(tables.requests).where(others).values(claimed_by=self._run_id))
        return alive, sum(request.messages for request in dead)

    def finish(self, results: Sequence[RequestOutcome]) -> None:
        """Record what came of requests."""
        if results:
            with self._store.write() as connection:
                finish(connection, self._channel, results)

    def release(self, requests: Iterable[ClaimedRequest]) -> None:
        """Schedule the messages of requests that LINE certainly did not accept anew; their keys are not used again.

        Requests that another run took over stay claimed: that run may have had them accepted.
        """
        table = tables.requests
        with self._store.write(lock="ledger") as connection:
            keys = [request.retry_key for request in requests]
            own = (table.c.claimed_by == self._run_id) & (table.c.status == MessageStatus.CLAIMED)
            released = select(table.c.retry_key).where(in_values(connection, table.c.retry_key, keys), own)
            keys = list(connection.execute(released.with_for_update()).scalars())
            messages = tables.messages
            connection.execute(
                update(messages)
                .where(in_values(connection, messages.c.retry_key, keys))
                .values(status=MessageStatus.SCHEDULED, retry_key=None, line_id=None, updated_at=datetime.now(UTC)),
            )
            connection.execute(table.delete().where(in_values(connection, table.c.retry_key, keys)))

    def split(self, request: ClaimedRequest, words: str) -> list[ClaimedRequest]:
        """Divide a multicast that LINE refused into two, in one commit with the refusal.

        Returns:
            The halves, under keys of their own; none if it cannot be divided, and nothing is changed then.
        """
        body = json.loads(request.body)
        messages = tables.messages.c
        with self._store.write(lock="ledger") as connection:
            members = select(messages.line_id, messages.message_id).where(
                messages.retry_key == request.retry_key, messages.status == MessageStatus.CLAIMED
            )
            member_of = dict(connection.execute(members).all())
            line_ids = body["to"] if request.method == "multicast" else []
            if len(line_ids) < 2 or member_of.keys() != set(line_ids):  # noqa: PLR2004 - one cannot be divided
                return []
            middle = len(line_ids) // 2
            halves = [
                (str(uuid.uuid4()), _part(body, part, tuple(member_of[line_id] for line_id in part)))
                for part in (line_ids[:middle], line_ids[middle:])
            ]
            finish_requests(connection, [RequestOutcome(request, MessageStatus.REJECTED, 1, error=words)])
            self._insert(connection, halves)
            now = datetime.now(UTC)
            rows = [
                {"message_id": member, "retry_key": key, "updated_at": now}
                for key, half in halves
                for member in half.members
            ]
            mine = messages.channel == self._channel
            update_many(connection, tables.messages, messages.message_id, rows, where=mine)
        return [ClaimedRequest(key, half.method, half.body, len(half.members), fresh=True) for key, half in halves]

    def refuse(self, message_ids: Sequence[str], words: str) -> None:
        """Reject scheduled messages in LINE's words, before they were sent."""
        messages = tables.messages
        with self._store.write(lock="ledger") as connection:
            these = (
                (messages.c.channel == self._channel)
                & in_values(connection, messages.c.message_id, message_ids)
                & (messages.c.status == MessageStatus.SCHEDULED)
            )
            records = connection.execute(select(messages.c.record).where(these)).scalars().all()
            now = datetime.now(UTC)
            reason = Reason.REFUSED_BY_LINE
            new = {"status": MessageStatus.REJECTED, "reason": reason, "detail": words, "updated_at": now}
            connection.execute(update(messages).where(these).values(new))
            save_rejects(connection, self._channel, [Reject(STREAM, record, reason, words) for record in records])

    def _settle(
        self, connection: Connection, due: Sequence[Due], decisions: Sequence[Decision], claimed: Claimed
    ) -> None:
        """Write down what is not sent."""
        settled: list[dict[str, Any]] = []
        held: list[dict[str, Any]] = []
        refused: list[Reject] = []
        for item, decision in zip(due, decisions, strict=True):
            row: dict[str, Any] = {"message_id": item.message_id}
            match decision:
                case Skipped(reason=reason, line_id=line_id):
                    settled.append(
                        {**row, "status": MessageStatus.SKIPPED, "reason": reason, "detail": None, "line_id": line_id}
                    )
                    claimed.settled[MessageStatus.SKIPPED, reason] += 1
                case Invalid(reason=reason, detail=detail):
                    settled.append(
                        {**row, "status": MessageStatus.REJECTED, "reason": reason, "detail": detail, "line_id": None}
                    )
                    refused.append(Reject(STREAM, item.record, reason, detail))
                    claimed.settled[MessageStatus.REJECTED, reason] += 1
                case Postponed(reason=reason, until=until):
                    held.append({**row, "reason": reason, "due_at": until})
                    claimed.settled[MessageStatus.SCHEDULED, reason] += 1
        for rows in (settled, held):
            self._update_scheduled(connection, rows)
        save_rejects(connection, self._channel, refused)

    def _fix(
        self, connection: Connection, requests: Sequence[tuple[str, PlannedRequest]], sends: dict[str, Send]
    ) -> None:
        """Write down what is to be sent, whole."""
        self._insert(connection, requests)
        rows = [
            {"message_id": member, "line_id": _address(sends[member]), "retry_key": key}
            for key, planned in requests
            for member in planned.members
        ]
        reason = Reason.TEST_RECIPIENTS if self._policy.test_recipients else None
        self._update_scheduled(connection, rows, status=MessageStatus.CLAIMED, reason=reason)

    def _update_scheduled(self, connection: Connection, rows: Sequence[dict[str, Any]], **same: Any) -> None:
        messages = tables.messages
        mine = (messages.c.channel == self._channel) & (messages.c.status == MessageStatus.SCHEDULED)
        same["updated_at"] = datetime.now(UTC)
        if update_many(connection, messages, messages.c.message_id, rows, where=mine, same=same) != len(rows):
            raise _TakenError

    def _insert(self, connection: Connection, requests: Sequence[tuple[str, PlannedRequest]]) -> None:
        now = datetime.now(UTC)
        rows = [
            {
                "retry_key": key,
                "channel": self._channel,
                "method": planned.method,
                "body": planned.body,
                "recipients": planned.recipients,
                "status": MessageStatus.CLAIMED,
                "claimed_by": self._run_id,
                "claimed_at": now,
            }
            for key, planned in requests
        ]
        if rows:
            insert_many(connection, tables.requests, rows)

    def _requests(self, connection: Connection, which: Any) -> list[ClaimedRequest]:  # noqa: ANN401 - an SQL condition
        table = tables.requests.c
        members = (
            select(func.count()).where(tables.messages.c.retry_key == table.retry_key).correlate(tables.requests)
        ).scalar_subquery()
        query = select(table.retry_key, table.method, table.body, members).where(which).order_by(table.claimed_at)
        rows = connection.execute(query)
        return [ClaimedRequest(key, method, body, messages, fresh=False) for key, method, body, messages in rows]


def _part(body: dict[str, Any], line_ids: list[str], members: tuple[str, ...]) -> PlannedRequest:
    alone = len(line_ids) == 1
    part = {**body, "to": line_ids[0] if alone else line_ids}
    text = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
    return PlannedRequest("push" if alone else "multicast", text, members, len(line_ids))


def _address(send: Send) -> str | None:
    match send.to:
        case User(line_id=address) | Chat(chat_id=address):
            return address
        case _:
            return None
