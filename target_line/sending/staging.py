"""Staging: new, changed and cancelled message records enter the ledger.

| message in the ledger | another record with other content or times | cancellation |
|---|---|---|
| none | inserted | `skipped` (`cancelled`), so that a message record that arrives later is not sent |
| `scheduled` | replaced (setting `replace_scheduled`) | `skipped` (`cancelled`) |
| `rejected`, `skipped` | replaced: it was certainly not delivered | `skipped` (`cancelled`) |
| `skipped` (`cancelled`) | ignored: a cancellation is final | ignored |
| `claimed`, certainly not sent | released, then as `scheduled` | released, then as `scheduled` |
| `claimed`, `accepted`, `unknown` | reject `already_sent_differently` | reject `already_sent` |

A record with the same content, recipient and times changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, or_, select, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values, insert_many, insert_on_conflict
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.claim.release import release_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from target_line.sending.read.cancellation import Cancellation
    from target_line.sending.read.message import Message

_NOT_DELIVERED = (MessageStatus.SCHEDULED, MessageStatus.REJECTED, MessageStatus.SKIPPED)
_SHOWN_CHARACTERS = 2000
"""Characters of each content in the detail of a reject."""
CANCELLED_BY_RECORD = "a cancellation"
"""`staged_by` of a row that only keeps a cancellation: no run counts it as its message."""


@dataclass(frozen=True, slots=True)
class MessageToStage:
    """A parsed message with its record."""

    message: Message
    record: Mapping[str, Any]
    """The record as it was received."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the ledger does not accept."""

    record: Mapping[str, Any]
    reason: Reason
    detail: str


@dataclass(slots=True)
class Staged:
    """What a batch of records changed."""

    new: int = 0
    """Messages that belong to this run now: inserted, or replaced for the first time by this run."""
    cancelled: int = 0
    """Cancellations that took effect, now or earlier."""
    refusals: list[Refusal] = field(default_factory=list)


class Staging:
    """Writes message records of one run to the ledger of one channel."""

    def __init__(self, channel: str, run_id: str, *, replaces: bool = True, drafts_of: str | None = None) -> None:
        """Store the settings.

        Args:
            channel: Name of the sending channel, or of the drafts of a dry run.
            run_id: The run that stages the messages.
            replaces: Whether a scheduled message can be replaced.
            drafts_of: Name of the sending channel, if `channel` is that of drafts. Its messages are not changed.
        """
        self._channel = channel
        self._drafts_of = drafts_of
        self._run_id = run_id
        self._replaces = replaces
        self._started_at = datetime.now(UTC)

    def stage(
        self,
        connection: Connection,
        staged: Sequence[MessageToStage],
        parse: Callable[[Mapping[str, Any]], Message] | None = None,
    ) -> Staged:
        """Insert messages as scheduled, and replace those that differ and have not been sent.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            staged: The messages. Of several with the same id, the last is used.
            parse: Parses a stored record, so that a record that only is written differently changes nothing. Without
                it, records are compared as they are.
        """
        result, now = Staged(), datetime.now(UTC)
        latest = {item.message.message_id: item for item in staged}
        inserts, updates = [], []
        known = {row.message_id: row for row in self._known(connection, latest)}
        changed = {
            message_id: row
            for message_id, row in known.items()
            if row.reason != Reason.CANCELLED and not _is_same(latest[message_id], row.record, parse)
        }
        if self._replaces:
            claimed = [message_id for message_id, row in changed.items() if row.status == MessageStatus.CLAIMED]
            changed |= {row.message_id: row for row in self._released(connection, claimed)}
        for message_id, item in latest.items():
            row = changed.get(message_id)
            if message_id not in known:
                inserts.append(self._new_row(item, now))
            elif row is None:
                continue
            elif row.status not in _NOT_DELIVERED:
                result.refusals.append(_sent_differently(item, row.record))
            elif row.status == MessageStatus.SCHEDULED and not self._replaces:
                detail = "the message is scheduled with other content or times, and replace_scheduled is false"
                result.refusals.append(Refusal(item.record, Reason.ALREADY_SCHEDULED, detail))
            elif row.channel != self._channel:
                inserts.append(self._new_row(item, now))
            else:
                updates.append(self._replacement(item, now))
                result.new += row.staged_by != self._run_id
        self._insert(connection, inserts)
        self._update(connection, updates)
        result.new += len(inserts)
        return result

    def cancel(self, connection: Connection, cancellations: Sequence[Cancellation]) -> Staged:
        """Withdraw messages that have not been sent. A cancellation is final, also for messages that arrive later.

        The messages of a cancelled campaign are withdrawn when sending starts, see
        `Ledger.withdraw_cancelled_campaigns`.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            cancellations: The cancellations.
        """
        result, now = Staged(), datetime.now(UTC)
        of_messages = {item.message_id: item for item in cancellations if item.message_id}
        campaigns = {item.campaign for item in cancellations if item.campaign}
        known = {row.message_id: row for row in self._known(connection, of_messages)}
        claimed = [message_id for message_id, row in known.items() if row.status == MessageStatus.CLAIMED]
        known |= {row.message_id: row for row in self._released(connection, claimed)}
        inserts, updates = [], []
        for message_id, cancellation in of_messages.items():
            row = known.get(message_id)
            if row is not None and row.status not in _NOT_DELIVERED:
                detail = f"the message is {row.status}: it cannot be withdrawn"
                result.refusals.append(Refusal(cancellation.as_record(), Reason.ALREADY_SENT, detail))
            elif row is None or (row.reason != Reason.CANCELLED and row.channel != self._channel):
                inserts.append(self._tombstone(cancellation, now))
            elif row.reason != Reason.CANCELLED:
                updates.append({"message_id": message_id, **cancelled_columns(now)})
        result.cancelled = len(cancellations) - len(result.refusals)
        self._insert(connection, inserts)
        self._update(connection, updates)
        if campaigns:
            statement = insert_on_conflict(connection, tables.cancelled_campaigns).on_conflict_do_nothing()
            rows = [{"channel": self._channel, "campaign": name, "cancelled_at": now} for name in sorted(campaigns)]
            connection.execute(statement, rows)
        return result

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
        records: dict[str, list[MessageToStage]] = {}
        for item in corrected:
            records.setdefault(item.message.message_id, []).append(item)
        updates = [
            self._replacement(item, now) | {"staged_by": row.staged_by}
            for row in self._known(connection, records)
            if row.status == MessageStatus.REJECTED
            for item in records[row.message_id]
            if item.record == row.record
        ]
        self._update(connection, updates)
        return len(updates)

    def insert_new(self, connection: Connection, staged: Sequence[MessageToStage]) -> int:
        """Insert messages whose id is not in the ledger as scheduled, and return their number. Others do not change.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            staged: The messages. Of several with the same id, the last is used.
        """
        now = datetime.now(UTC)
        latest = {item.message.message_id: item for item in staged}
        for row in self._known(connection, latest):
            del latest[row.message_id]
        self._insert(connection, [self._new_row(item, now) for item in latest.values()])
        return len(latest)

    def _insert(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        if inserts := list(rows):
            insert_many(connection, tables.messages, inserts)

    def _update(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        table = tables.messages
        statement = update(table).where(
            table.c.channel == self._channel,
            table.c.message_id == bindparam("of_message_id"),
            or_(*(table.c.status == status for status in _NOT_DELIVERED)),
        )
        if rows:
            connection.execute(statement, [{"of_message_id": row.pop("message_id"), **row} for row in rows])

    def _released(self, connection: Connection, message_ids: Sequence[str]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Release the claims of messages, if they were certainly not sent, and return the rows of the messages."""
        if not message_ids:
            return []
        selected = in_values(connection, tables.messages.c.message_id, message_ids)
        release_messages(connection, self._drafts_of or self._channel, selected)
        return self._known(connection, message_ids)

    def _known(self, connection: Connection, message_ids: Iterable[str]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return the rows of messages. The last row of a message id is the one that counts."""
        table, ids = tables.messages.c, list(message_ids)
        columns = (table.channel, table.message_id, table.status, table.reason, table.staged_by, table.record)
        rows: list[Row[*tuple[Any, ...]]] = []
        for channel in filter(None, (self._drafts_of, self._channel)):
            query = select(*columns).where(table.channel == channel, in_values(connection, table.message_id, ids))
            rows += connection.execute(query).all()
        return rows

    def _new_row(self, item: MessageToStage, now: datetime) -> dict[str, Any]:
        return {
            "channel": self._channel,
            "message_id": item.message.message_id,
            **self._content(item, now),
            "staged_at": now,
        }

    def _replacement(self, item: MessageToStage, now: datetime) -> dict[str, Any]:
        reset = dict.fromkeys(("reason", "detail", "line_id", "retry_key", "set_aside_since"))
        return {"message_id": item.message.message_id, **self._content(item, now), **reset, "set_aside_count": 0}

    def _content(self, item: MessageToStage, now: datetime) -> dict[str, Any]:
        message = item.message
        return {
            "status": MessageStatus.SCHEDULED,
            "record": item.record,
            "content_key": message.content_key(),
            "campaign": message.campaign,
            "send_order": message.send_order,
            "due_minute": int((message.send_at or self._started_at).timestamp() // 60),
            "send_at": message.send_at,
            "due_at": message.send_at,
            "expires_at": message.expires_at,
            "staged_by": self._run_id,
            "updated_at": now,
        }

    def _tombstone(self, cancellation: Cancellation, now: datetime) -> dict[str, Any]:
        """Return the row of a cancelled message that the ledger does not have."""
        row = {"channel": self._channel, "message_id": cancellation.message_id, "record": cancellation.as_record()}
        return {**row, "content_key": "", **cancelled_columns(now), "staged_by": CANCELLED_BY_RECORD, "staged_at": now}


def cancelled_columns(now: datetime) -> dict[str, Any]:
    """Return the columns of a message that was withdrawn."""
    return {"status": MessageStatus.SKIPPED, "reason": Reason.CANCELLED, "detail": None, "updated_at": now}


def _is_same(
    item: MessageToStage,
    stored: Mapping[str, Any],
    parse: Callable[[Mapping[str, Any]], Message] | None,
) -> bool:
    """Return whether a stored record means the same message. The time of creation does not matter."""
    if item.record == stored:
        return True
    if parse is None:
        return False
    try:
        earlier = parse(stored)
    except RejectedRecordError:
        return False
    return msgspec.structs.replace(earlier, created_at=None) == msgspec.structs.replace(item.message, created_at=None)


def _sent_differently(item: MessageToStage, sent: Mapping[str, Any]) -> Refusal:
    sent_text, new_text = (
        json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)
        for record in (sent, item.record)
    )
    detail = f"sent: {sent_text[:_SHOWN_CHARACTERS]}; now: {new_text[:_SHOWN_CHARACTERS]}"
    return Refusal(item.record, Reason.ALREADY_SENT_DIFFERENTLY, detail)
