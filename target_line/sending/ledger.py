"""The ledger's messages: staged once, counted by what became of them.

A message goes `scheduled → claimed → accepted | rejected | skipped | unknown`; claiming is in
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
MessageCounts = dict[tuple[str, str | None], int]
"""How many messages, by status and reason."""


class Cursor(NamedTuple):
    """A place in the order in which due messages are planned: those of the same content side by side."""

    content_key: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose time has come."""

    message_id: str
    content_key: str
    record: Mapping[str, Any]
    staged_at: datetime

    @property
    def cursor(self) -> Cursor:
        """Its place."""
        return Cursor(self.content_key, self.message_id)


@dataclass(frozen=True, slots=True)
class MessageToStage:
    """A message to stage."""

    message: Message
    record: Mapping[str, Any]
    """As it came."""


class Ledger:
    """The messages of one channel, as one run sees them."""

    def __init__(self, store: Store, channel: str, run_id: str) -> None:
        """Use an open store.

        Args:
            store: Where the ledger is.
            channel: Name of the channel that sends.
            run_id: Names the run that stages messages.
        """
        self._store = store
        self._channel = channel
        self._run_id = run_id

    def stage(self, connection: Connection, staged: Sequence[MessageToStage]) -> int:
        """Put messages down as scheduled; those that the ledger has already stay as they are.

        Args:
            connection: A write transaction that holds the ledger alone.
            staged: The messages; of several with the same id the first counts.

        Returns:
            How many were new.
        """
        now = datetime.now(UTC)
        new = {item.message.message_id: item for item in reversed(staged)}
        messages = tables.messages.c
        known = select(messages.message_id).where(
            messages.channel == self._channel, in_values(connection, messages.message_id, new)
        )
        for message_id in connection.execute(known).scalars().all():
            del new[message_id]
        rows = [
            {
                "channel": self._channel,
                "message_id": message_id,
                "status": MessageStatus.SCHEDULED,
                "record": item.record,
                "content_key": item.message.content_key(),
                "campaign": item.message.campaign,
                "send_at": item.message.send_at,
                "due_at": item.message.send_at,
                "expires_at": item.message.expires_at,
                "staged_by": self._run_id,
                "staged_at": now,
                "updated_at": now,
            }
            for message_id, item in reversed(new.items())
        ]
        if rows:
            insert_many(connection, tables.messages, rows)
        return len(rows)

    def reschedule_rejected(self, connection: Connection, mended: Sequence[MessageToStage]) -> int:
        """Schedule messages anew that were rejected, by us or by LINE, which so have certainly not arrived.

        The request that LINE refused stays on record; the message will go by another, under a key of its own.

        Args:
            connection: A write transaction that holds the ledger alone.
            mended: The messages. One that the ledger has by another record stays as it is.

        Returns:
            How many were scheduled.
        """
        now = datetime.now(UTC)
        again: defaultdict[str, list[MessageToStage]] = defaultdict(list)
        for item in mended:
            again[item.message.message_id].append(item)
        messages = tables.messages.c
        rejected = (messages.channel == self._channel) & (messages.status == MessageStatus.REJECTED)
        query = select(messages.message_id, messages.record).where(
            rejected, in_values(connection, messages.message_id, again)
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
            for item in again[message_id]
            if item.record == record
        ]
        update_many(connection, tables.messages, messages.message_id, rows, where=rejected)
        return len(rows)

    def has_work(self) -> bool:
        """Whether anything is due, or claimed and unfinished."""
        messages = tables.messages.c
        mine = messages.channel == self._channel
        scheduled = select(messages.message_id).where(mine, *_due(datetime.now(UTC)))
        claimed = select(tables.requests.c.retry_key).where(
            tables.requests.c.channel == self._channel, tables.requests.c.status == MessageStatus.CLAIMED
        )
        with self._store.read() as connection:
            return any(connection.execute(query.limit(1)).first() for query in (claimed, scheduled))

    def due(self, after: Cursor, limit: int) -> list[Due]:
        """The next due messages after a place."""
        messages = tables.messages.c
        query = (
            select(messages.message_id, messages.content_key, messages.record, messages.staged_at)
            .where(
                messages.channel == self._channel,
                *_due(datetime.now(UTC)),
                _place() > tuple_(literal(after.content_key), literal(after.message_id)),
            )
            .order_by(messages.content_key, messages.message_id)
            .limit(limit)
        )
        with self._store.read() as connection:
            return [Due(*row) for row in connection.execute(query).all()]

    def still_scheduled(self, connection: Connection, first: Cursor, last: Cursor) -> set[str]:
        """The ids of messages between two places, these included, that nobody has claimed or settled.

        Args:
            connection: A write transaction that holds the ledger alone.
            first: The first place.
            last: The last place.
        """
        messages = tables.messages.c
        query = select(messages.message_id).where(
            messages.channel == self._channel,
            messages.status == MessageStatus.SCHEDULED,
            _place() >= tuple_(literal(first.content_key), literal(first.message_id)),
            _place() <= tuple_(literal(last.content_key), literal(last.message_id)),
        )
        return set(connection.execute(query).scalars())

    def index_line_ids(self) -> None:
        """Make messages quick to find by LINE ID, if they are not; it makes sending slower, and only caps need it."""
        with self._store.write(lock="ledger") as connection:
            connection.execute(text("CREATE INDEX IF NOT EXISTS ix_messages_line_id ON messages (channel, line_id)"))

    def count_due(self) -> int:
        """How many messages could go now."""
        messages = tables.messages.c
        query = select(func.count()).where(messages.channel == self._channel, *_due(datetime.now(UTC)))
        with self._store.read() as connection:
            return connection.execute(query).scalar_one()

    def due_campaigns(self) -> set[str]:
        """The units that due messages would use."""
        messages = tables.messages.c
        query = select(messages.campaign).distinct()
        query = query.where(messages.channel == self._channel, messages.campaign.is_not(None), *_due(datetime.now(UTC)))
        with self._store.read() as connection:
            return {name for name in connection.execute(query).scalars() if name}

    def counts_of_run(self) -> MessageCounts:
        """What has become of the messages that this run staged, by status and reason."""
        return self._outcomes(tables.messages.c.staged_by == self._run_id)

    def _outcomes(self, which: ColumnElement[bool]) -> MessageCounts:
        messages = tables.messages.c
        query = select(messages.status, messages.reason, func.count()).where(which, messages.channel == self._channel)
        with self._store.read() as connection:
            rows = connection.execute(query.group_by(messages.status, messages.reason))
            return {(status, reason): count for status, reason, count in rows}


def _place() -> Tuple:
    return tuple_(tables.messages.c.content_key, tables.messages.c.message_id)


def _due(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    messages = tables.messages.c
    return messages.status == MessageStatus.SCHEDULED, or_(messages.due_at.is_(None), messages.due_at <= now)
