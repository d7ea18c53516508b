"""Messages of the ledger: reading due messages, withdrawing campaigns, counting by status.

Status: `scheduled → claimed → accepted | rejected | skipped | unknown`. The table of all transitions is in
`target_line.sending.claim.claims`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, literal, or_, select, text, tuple_, union_all, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.sending.claim.release import release_messages
from target_line.sending.staging import cancelled_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Tuple

    from line_core.store import Store

STREAM = "messages"
"""Stream name of rejected messages."""
MessageCounts = dict[tuple[str, str | None], int]
"""Number of messages by status and reason."""


class Cursor(NamedTuple):
    """Position in the planning order: by priority, then by the minute from which it is due, content and message id.

    So messages with the same content are adjacent, and the oldest are sent first, minute by minute.
    """

    send_order: int = -(2**31)
    due_minute: int = 0
    content_key: str = ""
    message_id: str = ""


_POSITION = tuple(tables.messages.c[name] for name in Cursor._fields)
_DUE_COLUMNS = (*_POSITION, *(tables.messages.c[name] for name in ("record", "staged_at", "due_at")))


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A scheduled message, with what is needed to decide about it."""

    cursor: Cursor
    """Position of the message in the planning order."""
    record: Mapping[str, Any]
    staged_at: datetime
    due_at: datetime | None = None
    """The message is not sent before this time."""

    @property
    def message_id(self) -> str:
        """The customer's idempotency key."""
        return self.cursor.message_id

    @property
    def content_key(self) -> str:
        """The same for messages of the same content and options."""
        return self.cursor.content_key


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

    def withdraw_cancelled_campaigns(self) -> int:
        """Withdraw the messages of cancelled campaigns that were certainly not sent, and forget these cancellations.

        Returns:
            The number of withdrawn messages.
        """
        cancelled, messages = tables.cancelled_campaigns, tables.messages
        with self.store.write(lock="ledger") as connection:
            names = connection.scalars(select(cancelled.c.campaign).where(cancelled.c.channel == self.channel)).all()
            if not names:
                return 0
            of_campaigns = in_values(connection, messages.c.campaign, names)
            release_messages(connection, self.channel, of_campaigns)
            statement = update(messages).where(
                messages.c.channel == self.channel, messages.c.status == MessageStatus.SCHEDULED, of_campaigns
            )
            withdrawn = connection.execute(statement.values(cancelled_columns(datetime.now(UTC)))).rowcount
            connection.execute(delete(cancelled).where(cancelled.c.channel == self.channel))
        return withdrawn

    def count_claimed(self, campaigns: Sequence[str]) -> int:
        """Return the number of messages of campaigns that are claimed."""
        messages = tables.messages.c
        with self.store.read() as connection:
            query = select(func.count()).where(
                messages.channel == self.channel,
                messages.status == MessageStatus.CLAIMED,
                in_values(connection, messages.campaign, campaigns),
            )
            return connection.execute(query).scalar_one()

    def is_empty(self, connection: Connection) -> bool:
        """Return whether the ledger has never had a message of this channel."""
        messages = tables.messages.c
        query = select(messages.message_id).where(messages.channel == self.channel).limit(1)
        return connection.execute(query).first() is None

    def has_work(self) -> bool:
        """Return whether a message is due, or a request is claimed and has no outcome."""
        due = select(tables.messages.c.message_id).where(self._is_visible(), *_is_due(datetime.now(UTC)))
        claimed = select(tables.requests.c.retry_key).where(
            tables.requests.c.channel == self.channel, tables.requests.c.status == MessageStatus.CLAIMED
        )
        with self.store.read() as connection:
            return any(connection.execute(query.limit(1)).first() for query in (claimed, due))

    def read_due(self, after: Cursor, limit: int) -> list[DueMessage]:
        """Return the next due messages after a position, in planning order."""
        return self._read_page(after, limit, _is_due(datetime.now(UTC)))

    def read_later(self, after: Cursor, limit: int) -> list[DueMessage]:
        """Return the next scheduled messages after a position that are not due yet, in planning order."""
        messages = tables.messages.c
        return self._read_page(
            after, limit, (messages.status == MessageStatus.SCHEDULED, messages.due_at > datetime.now(UTC))
        )

    def _read_page(self, after: Cursor, limit: int, selected: Iterable[ColumnElement[bool]]) -> list[DueMessage]:
        pages = [
            select(*_DUE_COLUMNS)
            .where(visible, *selected, tuple_(*_POSITION) > _literal(after))
            .order_by(*_POSITION)
            .limit(limit)
            for visible in self._visible()
        ]
        query = pages[0]
        if len(pages) > 1:  # each of them follows the index
            page = union_all(*(select(each.subquery()) for each in pages)).subquery()
            query = select(page).order_by(*(page.c[name] for name in Cursor._fields)).limit(limit)
        with self.store.read() as connection:
            return _due_messages(connection.execute(query).all())

    def _visible(self) -> Sequence[ColumnElement[bool]]:
        """Return conditions, one of which each message of the ledger meets."""
        return [tables.messages.c.channel == self.channel]

    def _is_visible(self) -> ColumnElement[bool]:
        return or_(*self._visible())

    def read_claimed(self, retry_keys: Sequence[str]) -> list[tuple[str, DueMessage]]:
        """Return the messages that claimed requests carry, in planning order, each with the retry key."""
        messages = tables.messages.c
        query = select(messages.retry_key, *_DUE_COLUMNS).order_by(*_POSITION)
        with self.store.read() as connection:
            claimed = in_values(connection, messages.retry_key, retry_keys), messages.status == MessageStatus.CLAIMED
            rows = connection.execute(query.where(*claimed)).all()
        return [(key, *_due_messages([due])) for key, *due in rows]

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
            tuple_(*_POSITION) >= _literal(first),
            tuple_(*_POSITION) <= _literal(last),
        )
        return set(connection.execute(query).scalars())

    def create_line_id_index(self) -> None:
        """Create the index of messages by LINE ID, if it is missing.

        Only limits per person need the index, and it slows sending down. So it is not part of the schema.
        """
        with self.store.write(lock="ledger") as connection:
            connection.execute(text("CREATE INDEX IF NOT EXISTS ix_messages_line_id ON messages (channel, line_id)"))

    def count_due(self) -> int:
        """Return the number of messages that are due now."""
        query = select(func.count()).select_from(tables.messages)
        query = query.where(self._is_visible(), *_is_due(datetime.now(UTC)))
        with self.store.read() as connection:
            return connection.execute(query).scalar_one()

    def due_campaigns(self) -> set[str]:
        """Return the custom aggregation units of the due messages."""
        messages = tables.messages.c
        query = select(messages.campaign).distinct()
        query = query.where(self._is_visible(), messages.campaign.is_not(None), *self._is_handled())
        with self.store.read() as connection:
            return {name for name in connection.execute(query).scalars() if name}

    def _is_handled(self) -> Iterable[ColumnElement[bool]]:
        """Return the conditions for the messages that this run decides about."""
        return _is_due(datetime.now(UTC))

    def counts_of_run(self) -> MessageCounts:
        """Return the number of messages that this run staged, by status and reason."""
        messages = tables.messages.c
        query = select(messages.status, messages.reason, func.count()).where(
            messages.staged_by == self.run_id, messages.channel == self.channel
        )
        with self.store.read() as connection:
            rows = connection.execute(query.group_by(messages.status, messages.reason))
            return {(status, reason): count for status, reason, count in rows}


def _due_messages(rows: Iterable[Sequence[Any]]) -> list[DueMessage]:
    return [DueMessage(Cursor(*position), record, staged_at, due_at) for *position, record, staged_at, due_at in rows]


def _literal(cursor: Cursor) -> Tuple:
    return tuple_(*map(literal, cursor))


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    messages = tables.messages.c
    return messages.status == MessageStatus.SCHEDULED, or_(messages.due_at.is_(None), messages.due_at <= now)
