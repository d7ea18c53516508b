"""Messages of the ledger: staging, reading due messages, counting by status.

Status: `scheduled → claimed → accepted | rejected | skipped | unknown`. The table of all transitions is in
`target_line.sending.claim.claims`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, literal, or_, select, text, tuple_

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values, insert_many, update_many
from line_core.store.tables import ledger as tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Tuple

    from line_core.store import Store
    from target_line.sending.read.message import Message

STREAM = "messages"
"""Stream name of rejected messages."""
MessageCounts = dict[tuple[str, str | None], int]
"""Number of messages by status and reason."""


class Cursor(NamedTuple):
    """Position in the planning order of due messages: by content, then by message id."""

    content_key: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A scheduled message whose `due_at` has passed, or that has none."""

    message_id: str
    content_key: str
    record: Mapping[str, Any]
    staged_at: datetime

    @property
    def cursor(self) -> Cursor:
        """Position of the message in the planning order."""
        return Cursor(self.content_key, self.message_id)


@dataclass(frozen=True, slots=True)
class MessageToStage:
    """A parsed message with its record."""

    message: Message
    record: Mapping[str, Any]
    """The record as it was received."""


class Ledger:
    """The messages of one channel, as one run uses them."""

    def __init__(self, store: Store, channel: str, run_id: str) -> None:
        """Use an open store.

        Args:
            store: Contains the ledger.
            channel: Name of the sending channel.
            run_id: Id of the run that stages and claims messages.
        """
        self.store = store
        self.channel = channel
        self.run_id = run_id

    def stage(self, connection: Connection, staged: Sequence[MessageToStage]) -> int:
        """Insert messages as scheduled. Messages whose id is in the ledger are ignored.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            staged: The messages. Of several with the same id, the first is used.

        Returns:
            The number of new messages.
        """
        now = datetime.now(UTC)
        new = {item.message.message_id: item for item in reversed(staged)}
        messages = tables.messages.c
        known = select(messages.message_id).where(
            messages.channel == self.channel, in_values(connection, messages.message_id, new)
        )
        for message_id in connection.execute(known).scalars().all():
            del new[message_id]
        rows = [
            {
                "channel": self.channel,
                "message_id": message_id,
                "status": MessageStatus.SCHEDULED,
                "record": item.record,
                "content_key": item.message.content_key(),
                "campaign": item.message.campaign,
                "send_at": item.message.send_at,
                "due_at": item.message.send_at,
                "expires_at": item.message.expires_at,
                "staged_by": self.run_id,
                "staged_at": now,
                "updated_at": now,
            }
            for message_id, item in reversed(new.items())
        ]
        if rows:
            insert_many(connection, tables.messages, rows)
        return len(rows)

    def reschedule_rejected(self, connection: Connection, corrected: Sequence[MessageToStage]) -> int:
        """Return rejected messages to scheduled. A rejected message has certainly not been delivered.

        A request that LINE rejected stays in the ledger. The message is sent by a new request with a new retry key.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            corrected: The messages. A message whose record differs from the one in the ledger is ignored.

        Returns:
            The number of rescheduled messages.
        """
        now = datetime.now(UTC)
        items: defaultdict[str, list[MessageToStage]] = defaultdict(list)
        for item in corrected:
            items[item.message.message_id].append(item)
        messages = tables.messages.c
        rejected = (messages.channel == self.channel) & (messages.status == MessageStatus.REJECTED)
        query = select(messages.message_id, messages.record).where(
            rejected, in_values(connection, messages.message_id, items)
        )
        rows = [
            {
                "message_id": message_id,
                "status": MessageStatus.SCHEDULED,
                "reason": None,
                "detail": None,
                "line_id": None,
                "retry_key": None,
                "content_key": item.message.content_key(),
                "due_at": item.message.send_at,
                "updated_at": now,
            }
            for message_id, record in connection.execute(query)
            for item in items[message_id]
            if item.record == record
        ]
        update_many(connection, tables.messages, messages.message_id, rows, where=rejected)
        return len(rows)

    def has_work(self) -> bool:
        """Return whether a message is due, or a request is claimed and has no outcome."""
        messages = tables.messages.c
        due = select(messages.message_id).where(messages.channel == self.channel, *_is_due(datetime.now(UTC)))
        claimed = select(tables.requests.c.retry_key).where(
            tables.requests.c.channel == self.channel, tables.requests.c.status == MessageStatus.CLAIMED
        )
        with self.store.read() as connection:
            return any(connection.execute(query.limit(1)).first() for query in (claimed, due))

    def read_due(self, after: Cursor, limit: int) -> list[DueMessage]:
        """Return the next due messages after a position, in planning order."""
        messages = tables.messages.c
        query = (
            select(messages.message_id, messages.content_key, messages.record, messages.staged_at)
            .where(
                messages.channel == self.channel,
                *_is_due(datetime.now(UTC)),
                _position() > tuple_(literal(after.content_key), literal(after.message_id)),
            )
            .order_by(messages.content_key, messages.message_id)
            .limit(limit)
        )
        with self.store.read() as connection:
            return [DueMessage(*row) for row in connection.execute(query).all()]

    def read_claimed(self, retry_key: str) -> list[DueMessage]:
        """Return the messages that a claimed request carries."""
        messages = tables.messages.c
        query = select(messages.message_id, messages.content_key, messages.record, messages.staged_at).where(
            messages.retry_key == retry_key, messages.status == MessageStatus.CLAIMED
        )
        with self.store.read() as connection:
            return [DueMessage(*row) for row in connection.execute(query).all()]

    def still_scheduled(self, connection: Connection, first: Cursor, last: Cursor) -> set[str]:
        """Return the ids of scheduled messages between two positions, both included.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            first: The first position.
            last: The last position.
        """
        messages = tables.messages.c
        query = select(messages.message_id).where(
            messages.channel == self.channel,
            messages.status == MessageStatus.SCHEDULED,
            _position() >= tuple_(literal(first.content_key), literal(first.message_id)),
            _position() <= tuple_(literal(last.content_key), literal(last.message_id)),
        )
        return set(connection.execute(query).scalars())

    def create_line_id_index(self) -> None:
        """Create the index of messages by LINE ID, if it is missing.

        Only frequency caps need the index, and it slows sending down. So it is not part of the schema.
        """
        with self.store.write(lock="ledger") as connection:
            connection.execute(text("CREATE INDEX IF NOT EXISTS ix_messages_line_id ON messages (channel, line_id)"))

    def count_due(self) -> int:
        """Return the number of messages that are due now."""
        messages = tables.messages.c
        query = select(func.count()).where(messages.channel == self.channel, *_is_due(datetime.now(UTC)))
        with self.store.read() as connection:
            return connection.execute(query).scalar_one()

    def due_campaigns(self) -> set[str]:
        """Return the custom aggregation units of the due messages."""
        messages = tables.messages.c
        query = select(messages.campaign).distinct()
        query = query.where(
            messages.channel == self.channel, messages.campaign.is_not(None), *_is_due(datetime.now(UTC))
        )
        with self.store.read() as connection:
            return {name for name in connection.execute(query).scalars() if name}

    def counts_of_run(self) -> MessageCounts:
        """Return the number of messages that this run staged, by status and reason."""
        messages = tables.messages.c
        query = select(messages.status, messages.reason, func.count()).where(
            messages.staged_by == self.run_id, messages.channel == self.channel
        )
        with self.store.read() as connection:
            rows = connection.execute(query.group_by(messages.status, messages.reason))
            return {(status, reason): count for status, reason, count in rows}


def _position() -> Tuple:
    return tuple_(tables.messages.c.content_key, tables.messages.c.message_id)


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    messages = tables.messages.c
    return messages.status == MessageStatus.SCHEDULED, or_(messages.due_at.is_(None), messages.due_at <= now)
