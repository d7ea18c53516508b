"""The ledger in the store: what is to be sent, what was claimed, what became of it.

A message goes `scheduled → claimed → accepted | rejected | skipped | unknown`; its request is fixed, with its retry
key, by the same commit that claims it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from line_core.store.tables import ledger as tables
from target_line.reasons import Reason
from target_line.rejects import Reject, save_rejects
from target_line.sending.compose import Decision, Push, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from line_core.store import Store

_CHUNK = 1000
_STREAM = "messages"
RETRY_KEY_LIFE = timedelta(hours=24) - timedelta(minutes=5)
"""LINE honours a retry key for 24 hours (LINE: "Retry failed API requests"); clocks differ, so we stop earlier."""


class Status(StrEnum):
    """What has become of a message."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """A claimed request; all of it stays the same until LINE has accepted or refused it."""

    retry_key: str
    method: str
    body: str
    fresh: bool
    """False if an earlier run may have sent it already."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request."""

    retry_key: str
    status: Status
    attempts: int
    request_id: str | None = None
    error: str | None = None


Decide = Callable[[Sequence[Mapping[str, Any]]], Sequence[Decision]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim came to."""

    requests: list[Request]
    """To be sent now."""
    settled: Counter[tuple[Status, Reason]]
    """Messages that ended without a request."""
    due: int
    """How many messages were looked at; none means that nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message to stage."""

    message_id: str
    send_at: datetime | None
    record: Mapping[str, Any]


class Ledger:
    """The ledger of one channel."""

    def __init__(self, store: Store, channel: str) -> None:
        """Use an open store; `channel` names the channel that sends."""
        self._store = store
        self._channel = channel
        self._run = str(uuid.uuid4())

    def stage(self, connection: Connection, staged: Sequence[Scheduled]) -> int:
        """Put messages down as scheduled; those that the ledger has already stay as they are.

        Args:
            connection: A write transaction that holds the ledger alone.
            staged: The messages; of several with the same id the first counts.

        Returns:
            How many were new.
        """
        now = datetime.now(UTC)
        new = {message.message_id: message for message in reversed(staged)}
        for start in range(0, len(staged), _CHUNK):
            ids = [message.message_id for message in staged[start : start + _CHUNK]]
            known = select(tables.messages.c.message_id).where(
                tables.messages.c.channel == self._channel,
                tables.messages.c.message_id.in_(ids),
            )
            for message_id in connection.execute(known).scalars():
                new.pop(message_id, None)
        rows = [
            {
                "channel": self._channel,
                "message_id": message.message_id,
                "status": Status.SCHEDULED,
                "record": message.record,
                "send_at": message.send_at,
                "staged_at": now,
                "updated_at": now,
            }
            for message in reversed(new.values())
        ]
        if rows:
            connection.execute(insert(tables.messages), rows)
        return len(rows)

    def has_work(self) -> bool:
        """Whether anything is due, or claimed and unfinished."""
        messages = tables.messages.c
        due = (messages.status == Status.SCHEDULED) & _is_due(datetime.now(UTC))
        query = select(messages.message_id).where(
            messages.channel == self._channel,
            or_(messages.status == Status.CLAIMED, due),
        )
        with self._store.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def claim(self, limit: int, decide: Decide) -> Claimed:
        """Decide about the next due messages and claim those that are to be sent, all in one commit.

        Args:
            limit: How many messages at most.
            decide: Told the records, says for each what to do.
        """
        now = datetime.now(UTC)
        messages = tables.messages.c
        due = (
            select(messages.message_id, messages.record)
            .where(
                messages.channel == self._channel,
                messages.status == Status.SCHEDULED,
                _is_due(now),
            )
            .order_by(messages.staged_at, messages.message_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        requests: list[Request] = []
        changes: list[dict[str, Any]] = []
        refused: list[Reject] = []
        settled: Counter[tuple[Status, Reason]] = Counter()
        with self._store.write() as connection:
            rows = connection.execute(due).all()
            for row, decision in zip(rows, decide([row.record for row in rows]), strict=True):
                if isinstance(decision, Push):
                    requests.append(Request(str(uuid.uuid4()), "push", decision.body, fresh=True))
                    columns = _columns(Status.CLAIMED, line_id=decision.line_id, retry_key=requests[-1].retry_key)
                elif isinstance(decision, Skipped):
                    columns = _columns(Status.SKIPPED, line_id=decision.line_id, reason=decision.reason)
                    settled[Status.SKIPPED, decision.reason] += 1
                else:
                    columns = _columns(Status.REJECTED, reason=decision.reason, detail=decision.detail)
                    settled[Status.REJECTED, decision.reason] += 1
                    refused.append(Reject(_STREAM, row.record, decision.reason, decision.detail))
                changes.append({"key": row.message_id, "now": now, **columns})
            self._insert_requests(connection, requests, now)
            self._update_messages(connection, changes)
            save_rejects(connection, self._channel, refused)
        return Claimed(requests, settled, len(rows))

    def unfinished(self) -> list[Request]:
        """Take over the claimed requests of other runs; those whose retry key is dead become unknown instead.

        A run whose requests were taken over may go on sending them, since the key is the same, but not release them.
        """
        now = datetime.now(UTC)
        table = tables.requests
        requests = table.c
        claimed = (requests.channel == self._channel) & (requests.status == Status.CLAIMED)
        others = claimed & (requests.claimed_by != self._run)
        with self._store.write(alone="ledger") as connection:
            dead = select(requests.retry_key).where(claimed, requests.claimed_at <= now - RETRY_KEY_LIFE)
            keys = list(connection.execute(dead).scalars())
            self._finish(connection, [Result(key, Status.UNKNOWN, 0) for key in keys], now)
            alive = select(requests.retry_key, requests.method, requests.body).where(others)
            rows = connection.execute(alive.order_by(requests.claimed_at)).all()
            connection.execute(update(table).where(others).values(claimed_by=self._run))
        return [Request(row.retry_key, row.method, row.body, fresh=False) for row in rows]

    def finish(self, results: Sequence[Result]) -> None:
        """Record what came of requests."""
        if not results:
            return
        with self._store.write() as connection:
            self._finish(connection, results, datetime.now(UTC))

    def release(self, retry_keys: Iterable[str]) -> None:
        """Schedule the messages of requests that LINE certainly did not accept anew; their keys are not used again.

        Requests that another run took over stay claimed: that run may have had them accepted.
        """
        keys = list(retry_keys)
        messages, requests = tables.messages, tables.requests
        with self._store.write(alone="ledger") as connection:
            for start in range(0, len(keys), _CHUNK):
                own = select(requests.c.retry_key).where(
                    requests.c.retry_key.in_(keys[start : start + _CHUNK]),
                    requests.c.claimed_by == self._run,
                    requests.c.status == Status.CLAIMED,
                )
                released = list(connection.execute(own.with_for_update()).scalars())
                connection.execute(
                    update(messages)
                    .where(messages.c.retry_key.in_(released))
                    .values(status=Status.SCHEDULED, retry_key=None, line_id=None, updated_at=datetime.now(UTC)),
                )
                connection.execute(delete(requests).where(requests.c.retry_key.in_(released)))

    def counts(self) -> dict[tuple[str, str | None], int]:
        """How many messages the ledger has, by status and reason."""
        messages = tables.messages.c
        query = (
            select(messages.status, messages.reason, func.count())
            .where(messages.channel == self._channel)
            .group_by(messages.status, messages.reason)
        )
        with self._store.read() as connection:
            return {(status, reason): count for status, reason, count in connection.execute(query)}

    def _insert_requests(self, connection: Connection, requests: Sequence[Request], now: datetime) -> None:
        if not requests:
            return
        connection.execute(
            insert(tables.requests),
            [
                {
                    "retry_key": request.retry_key,
                    "channel": self._channel,
                    "method": request.method,
                    "body": request.body,
                    "status": Status.CLAIMED,
                    "claimed_by": self._run,
                    "claimed_at": now,
                }
                for request in requests
            ],
        )

    def _update_messages(self, connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
        if not changes:
            return
        messages = tables.messages
        statement = (
            update(messages)
            .where(messages.c.channel == self._channel, messages.c.message_id == bindparam("key"))
            .values(
                status=bindparam("new_status"),
                reason=bindparam("reason"),
                detail=bindparam("detail"),
                line_id=bindparam("line_id"),
                retry_key=bindparam("retry_key"),
                updated_at=bindparam("now"),
            )
        )
        connection.execute(statement, changes)

    def _finish(self, connection: Connection, results: Sequence[Result], now: datetime) -> None:
        if not results:
            return
        requests, messages = tables.requests, tables.messages
        reasons = {Status.REJECTED: Reason.REFUSED_BY_LINE, Status.UNKNOWN: Reason.RETRY_KEY_EXPIRED}
        rows = [
            {
                "key": result.retry_key,
                "new_status": result.status,
                "tries": result.attempts,
                "accepted_as": result.request_id,
                "words": result.error,
                "why": reasons.get(result.status),
                "now": now,
            }
            for result in results
        ]
        still_claimed = requests.c.status == Status.CLAIMED
        connection.execute(
            update(requests)
            .where(requests.c.retry_key == bindparam("key"), still_claimed)
            .values(
                status=bindparam("new_status"),
                attempts=requests.c.attempts + bindparam("tries"),
                request_id=bindparam("accepted_as"),
                error=bindparam("words"),
                finished_at=bindparam("now"),
            ),
            rows,
        )
        connection.execute(
            update(messages)
            .where(messages.c.retry_key == bindparam("key"), messages.c.status == Status.CLAIMED)
            .values(
                status=bindparam("new_status"),
                reason=bindparam("why"),
                detail=bindparam("words"),
                updated_at=bindparam("now"),
            ),
            rows,
        )
        save_rejects(connection, self._channel, self._refused(connection, results))

    def _refused(self, connection: Connection, results: Sequence[Result]) -> list[Reject]:
        words = {result.retry_key: result.error for result in results if result.status is Status.REJECTED}
        messages = tables.messages.c
        keys = list(words)
        return [
            Reject(_STREAM, row.record, Reason.REFUSED_BY_LINE, words[row.retry_key] or "")
            for start in range(0, len(keys), _CHUNK)
            for row in connection.execute(
                select(messages.record, messages.retry_key).where(
                    messages.retry_key.in_(keys[start : start + _CHUNK]),
                    messages.status == Status.REJECTED,
                ),
            )
        ]


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(tables.messages.c.send_at.is_(None), tables.messages.c.send_at <= now)


def _columns(
    status: Status,
    *,
    line_id: str | None = None,
    retry_key: str | None = None,
    reason: Reason | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    return {"new_status": status, "line_id": line_id, "retry_key": retry_key, "reason": reason, "detail": detail}
