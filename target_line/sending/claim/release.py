"""Release claims: their messages are scheduled again, and their requests are deleted. In the caller's transaction.

A request that may have left can be released only if LINE has certainly not accepted it. A request that is
`never_attempted` can be released at any time, also while its run is still sending: that run finds at `mark_attempted`,
before the request leaves, that it is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection


def release_never_attempted(connection: Connection, channel: str, run_id: str) -> int:
    """Return the never-attempted claims of other runs to scheduled, and return the number of their messages."""
    return _release(connection, channel, tables.requests.c.claimed_by != run_id)


def release_messages(connection: Connection, channel: str, selected: ColumnElement[bool]) -> int:
    """Return the never-attempted claims that carry selected messages to scheduled, with all messages that they carry.

    Args:
        connection: A write transaction that holds the lock of the ledger.
        channel: Name of the sending channel.
        selected: Condition of the messages.

    Returns:
        The number of messages that are scheduled again.
    """
    messages = tables.messages.c
    claimed = (messages.channel == channel) & (messages.status == MessageStatus.CLAIMED) & selected
    return _release(connection, channel, tables.requests.c.retry_key.in_(select(messages.retry_key).where(claimed)))


def reschedule(connection: Connection, keys: Sequence[str]) -> int:
    """Schedule the messages of requests again, delete the requests, and return the number of messages."""
    if not keys:
        return 0
    messages, requests = tables.messages, tables.requests
    released = in_values(connection, messages.c.retry_key, keys)
    may_have_left = select(requests.c.retry_key).where(
        in_values(connection, requests.c.retry_key, keys), requests.c.never_attempted == 0
    )
    refused = {"refused_requests": messages.c.refused_requests + 1}
    connection.execute(update(messages).where(messages.c.retry_key.in_(may_have_left)).values(refused))
    changed = connection.execute(
        update(messages)
        .where(released)
        .values(
            status=MessageStatus.SCHEDULED,
            reason=None,
            retry_key=None,
            line_id=None,
            updated_at=datetime.now(UTC),
        )
    )
    connection.execute(requests.delete().where(in_values(connection, requests.c.retry_key, keys)))
    return changed.rowcount


def _release(connection: Connection, channel: str, selected: ColumnElement[bool]) -> int:
    table = tables.requests.c
    query = select(table.retry_key).where(
        table.channel == channel, table.status == MessageStatus.CLAIMED, table.never_attempted == 1, selected
    )
    # The row lock waits for a run that marks the request at this moment; then it is not released.
    return reschedule(connection, list(connection.execute(query.with_for_update()).scalars()))
