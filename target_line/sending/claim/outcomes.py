"""Outcomes of requests, recorded for the request and for each message that it carried."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values, update_many
from line_core.store.tables import ledger as tables
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.ledger import STREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from target_line.sending.claim.request_body import SendMethod


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A claimed request. It does not change until LINE has accepted or rejected it."""

    retry_key: str
    method: SendMethod
    body: str
    """JSON text, sent byte for byte at every attempt."""
    messages: int
    """Number of messages that it carries."""
    fresh: bool
    """Whether this run has claimed it. Otherwise an earlier run may have sent it."""
    recipients: int = 0
    """Quota that it needs; 0 for broadcasts and narrowcasts, where only LINE knows."""
    never_attempted: bool = False
    """Whether the store says that it was certainly not sent. Until the store says otherwise it must not be sent."""
    valid_until: datetime | None = None
    """Fresh: the earliest time at which a decision about its messages is made again. Otherwise: when the retry key or
    a message expires."""
    decided_at: datetime | None = None
    """When the decisions about its messages were made; None if it is not fresh."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """Outcome of a request: accepted, rejected or unknown."""

    request: ClaimedRequest
    status: MessageStatus
    attempts: int
    request_id: str | None = None
    """LINE's id of the accepted request."""
    error: str | None = None
    """Reason text of LINE's rejection."""


def record_outcomes(connection: Connection, channel: str, outcomes: Sequence[RequestOutcome]) -> None:
    """Record outcomes for requests and messages. Requests that already have an outcome keep it.

    Args:
        connection: A write transaction.
        channel: Name of the sending channel.
        outcomes: The outcomes.
    """
    if not outcomes:
        return
    now = datetime.now(UTC)
    record_request_outcomes(connection, outcomes)
    messages = tables.messages
    claimed = messages.c.status == MessageStatus.CLAIMED
    for status, reason in (
        (MessageStatus.REJECTED, Reason.REFUSED_BY_LINE),
        (MessageStatus.UNKNOWN, Reason.RETRY_KEY_EXPIRED),
    ):
        rows = [
            {"retry_key": outcome.request.retry_key, "detail": outcome.error}
            for outcome in outcomes
            if outcome.status is status
        ]
        refused = messages.c.refused_requests + 1
        same = {"status": status, "reason": reason, "refused_requests": refused, "updated_at": now}
        update_many(connection, messages, messages.c.retry_key, rows, where=claimed, same=same)
    accepted = [outcome.request.retry_key for outcome in outcomes if outcome.status is MessageStatus.ACCEPTED]
    connection.execute(
        update(messages)
        .where(in_values(connection, messages.c.retry_key, accepted), claimed)
        .values(status=MessageStatus.ACCEPTED, updated_at=now),
    )
    save_rejects(connection, channel, _read_rejects(connection, outcomes))


def record_request_outcomes(connection: Connection, outcomes: Sequence[RequestOutcome]) -> None:
    """Record outcomes for requests only. The caller updates their messages."""
    now = datetime.now(UTC)
    table = tables.requests
    keys_by_attempts: defaultdict[int, list[str]] = defaultdict(list)
    for outcome in outcomes:
        keys_by_attempts[outcome.attempts].append(outcome.request.retry_key)
    still_claimed = table.c.status == MessageStatus.CLAIMED
    for attempts, keys in keys_by_attempts.items():
        connection.execute(
            update(table)
            .where(in_values(connection, table.c.retry_key, keys), still_claimed)
            .values(attempts=table.c.attempts + attempts),
        )
    rows = [
        {
            "retry_key": outcome.request.retry_key,
            "status": outcome.status,
            "request_id": outcome.request_id,
            "error": outcome.error,
            "finished_at": now,
        }
        for outcome in outcomes
    ]
    update_many(connection, table, table.c.retry_key, rows, where=still_claimed, same={"finished_at": now})


def _read_rejects(connection: Connection, outcomes: Sequence[RequestOutcome]) -> list[Reject]:
    errors = {
        outcome.request.retry_key: outcome.error or ""
        for outcome in outcomes
        if outcome.status is MessageStatus.REJECTED
    }
    if not errors:
        return []
    messages = tables.messages.c
    query = select(messages.record, messages.retry_key).where(
        in_values(connection, messages.retry_key, errors), messages.status == MessageStatus.REJECTED
    )
    rows = connection.execute(query)
    return [Reject(STREAM, record, Reason.REFUSED_BY_LINE, errors[key]) for record, key in rows if key]
