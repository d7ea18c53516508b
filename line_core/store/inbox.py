"""Write and read the inbox.

Positions: the database numbers the rows, and all writers hold the inbox's lock from before the first number until the
commit. So numbers become visible in their order, and a reader that goes on after the last position it saw never skips
an event. Numbers are never given twice; there may be gaps. A row that changes moves to a new position, so that readers
meet it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from line_core.store.dialects import insert_on_conflict
from line_core.store.inbox_sql import insert_events
from line_core.store.tables.inbox import events, heartbeats
from line_core.webhook_events.content_state import MessageEvent, MessageState, blank, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from line_core.webhook_events.parsing import ReceivedEvent


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """One stored event."""

    position: int
    channel: str
    webhook_event_id: str
    type: str
    mode: str | None
    occurred_at: datetime
    received_at: datetime
    destination: str | None
    line_id: str | None
    source_type: str | None
    chat_id: str | None
    message_id: str | None
    message_state: str | None
    payload: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to, in events."""

    new: int
    repeated: int


def write_events(connection: Connection, received: Sequence[ReceivedEvent]) -> Written:
    """Store events; one that is there already is counted, and its first text stays.

    When an event tells that a message was edited or taken back, the events that hold its content change state and
    move to new positions; content that was taken back is blanked. The order of arrival makes no difference.

    Args:
        connection: A transaction of `store.write(alone="inbox")`: without the lock a reader may skip events.
        received: Events in the order in which they came, of any channels; repeated ones too.
    """
    once, rest = _first_of_each(received)
    inserted = insert_events(connection, once)
    while rest:
        once, rest = _first_of_each(rest)
        insert_events(connection, once)
    if inserted.new:
        for channel, message_id in inserted.known | _shared_messages(received):
            _settle_message(connection, channel, message_id, inserted.last)
    return Written(new=inserted.new, repeated=len(received) - inserted.new)


def read_events(
    connection: Connection, after_position: int, limit: int, *, types: Collection[str] = ()
) -> list[InboxEvent]:
    """Read on from a position.

    Args:
        connection: Any transaction.
        after_position: The last position read, 0 to begin with.
        limit: Most events to return; fewer means that the end is reached.
        types: Only these event types; empty for all.

    Returns:
        Events in the order of their positions. An event whose row changed since it was read (its message was taken
        back or edited) comes again, with a new position.
    """
    query = select(*(events.c[name] for name in InboxEvent.__dataclass_fields__)).where(
        events.c.position > after_position
    )
    if types:
        query = query.where(events.c.type.in_(types))
    rows = connection.execute(query.order_by(events.c.position).limit(limit))
    return [InboxEvent(*row) for row in rows]


def last_position(connection: Connection) -> int:
    """The newest position, 0 in an empty inbox."""
    newest: int = connection.execute(select(func.coalesce(func.max(events.c.position), 0))).scalar_one()
    return newest


def beat(connection: Connection, at: datetime) -> None:
    """Prove that the inbox can be written, by writing something that changes nothing."""
    new = insert_on_conflict(connection, heartbeats).values(heartbeat_id=1, beat_at=at)
    connection.execute(
        new.on_conflict_do_update(index_elements=["heartbeat_id"], set_={"beat_at": new.excluded.beat_at})
    )


def move_to_end(connection: Connection, position: int, changes: Mapping[str, object]) -> None:
    """Change an event's row and give it the newest position, so that readers meet it again.

    Args:
        connection: A transaction of `store.write(alone="inbox")`.
        position: Where the event stands.
        changes: New values by column.
    """
    gone = connection.execute(delete(events).where(events.c.position == position).returning(events))
    row = dict(gone.mappings().one())
    del row["position"]
    connection.execute(insert(events).values(row | dict(changes)))


def _first_of_each(received: Sequence[ReceivedEvent]) -> tuple[list[ReceivedEvent], list[ReceivedEvent]]:
    """Part events into the first of each id and the rest: one statement cannot change a row twice."""
    firsts: dict[tuple[str, str], ReceivedEvent] = {}
    rest = [
        event for event in received if firsts.setdefault((event.channel, event.webhook_event_id), event) is not event
    ]
    return list(firsts.values()), rest


def _shared_messages(received: Sequence[ReceivedEvent]) -> set[tuple[str, str]]:
    """Find the messages that several of these events are about."""
    seen: dict[tuple[str, str], str] = {}
    shared = set()
    for event in received:
        if event.message_id is not None:
            message = (event.channel, event.message_id)
            if seen.setdefault(message, event.webhook_event_id) != event.webhook_event_id:
                shared.add(message)
    return shared


def _settle_message(connection: Connection, channel: str, message_id: str, last: int) -> None:
    """Bring all events about a message into their right state; those after `last` have no reader yet."""
    about_it = (events.c.channel == channel) & (events.c.message_id == message_id)
    rows = {row.position: row for row in connection.execute(select(events).where(about_it))}
    states = settle(
        [MessageEvent(row.position, row.webhook_event_id, row.type, row.occurred_at) for row in rows.values()]
    )
    for position, state in sorted(states.items()):
        row = rows[position]
        if row.message_state == state:
            continue
        payload = blank(row.payload) if state is MessageState.UNSENT else row.payload
        changes = {"message_state": state.value, "payload": payload}
        if position > last:
            connection.execute(update(events).where(events.c.position == position).values(changes))
        else:
            move_to_end(connection, position, changes)
