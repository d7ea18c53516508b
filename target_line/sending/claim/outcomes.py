"""What came of requests, written into the ledger: of the request, and of each message that it carried."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A claimed request; all of it stays the same until LINE has accepted or refused it."""

    retry_key: str
    method: str
    body: str
    messages: int
    """How many messages it carries."""
    fresh: bool
    """False if an earlier run may have sent it already."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What came of a request."""

    request: ClaimedRequest
    status: MessageStatus
    attempts: int
    request_id: str | None = None
    error: str | None = None


def finish(connection: Connection, channel: str, results: Sequence[RequestOutcome]) -> None:
    """Record what came of requests, unless that is known already.

    Args:
        connection: A write transaction.
        channel: Name of the channel that sent them.
        results: What came of them.
    """
    if not results:
        return
    now = datetime.now(UTC)
    finish_requests(connection, results)
    messages = tables.messages
    claimed = messages.c.status == MessageStatus.CLAIMED
    for status, reason in (
        (MessageStatus.REJECTED, Reason.REFUSED_BY_LINE),
        (MessageStatus.UNKNOWN, Reason.RETRY_KEY_EXPIRED),
    ):
        rows = [
            {"retry_key": result.request.retry_key, "detail": result.error}
            for result in results
            if result.status is status
        ]
        same = {"status": status, "reason": reason, "updated_at": now}
        update_many(connection, messages, messages.c.retry_key, rows, where=claimed, same=same)
    accepted = [result.request.retry_key for result in results if result.status is MessageStatus.ACCEPTED]
    connection.execute(
        update(messages)
        .where(in_values(connection, messages.c.retry_key, accepted), claimed)
        .values(status=MessageStatus.ACCEPTED, updated_at=now),
    )
    save_rejects(connection, channel, _refused(connection, results))


def finish_requests(connection: Connection, results: Sequence[RequestOutcome]) -> None:
    """Record it of the requests alone; what becomes of their messages is for the caller to say."""
    now = datetime.now(UTC)
    table = tables.requests
    by_attempts: dict[int, list[str]] = {}
    for result in results:
        by_attempts.setdefault(result.attempts, []).append(result.request.retry_key)
    still_claimed = table.c.status == MessageStatus.CLAIMED
    for attempts, keys in by_attempts.items():
        connection.execute(
            update(table)
            .where(in_values(connection, table.c.retry_key, keys), still_claimed)
            .values(attempts=table.c.attempts + attempts),
        )
    rows = [
        {
            "retry_key": result.request.retry_key,
            "status": result.status,
            "request_id": result.request_id,
            "error": result.error,
            "finished_at": now,
        }
        for result in results
    ]
    update_many(connection, table, table.c.retry_key, rows, where=still_claimed, same={"finished_at": now})


def _refused(connection: Connection, results: Sequence[RequestOutcome]) -> list[Reject]:
    words = {
        result.request.retry_key: result.error or "" for result in results if result.status is MessageStatus.REJECTED
    }
    if not words:
        return []
    messages = tables.messages.c
    query = select(messages.record, messages.retry_key).where(
        in_values(connection, messages.retry_key, words), messages.status == MessageStatus.REJECTED
    )
    rows = connection.execute(query)
    return [Reject(STREAM, record, Reason.REFUSED_BY_LINE, words[key]) for record, key in rows if key]
