"""Write and read webhook events.

Positions: the database numbers the rows, and every writer holds the inbox lock from before the first number until its
commit. So positions become visible in ascending order, and a reader that continues after its last position never skips
an event. Positions are never reused; gaps are possible. A changed row moves to a new position, so that readers read it
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from line_core.store.inbox.insert import insert_events
from line_core.store.tables.inbox import events
from line_core.webhook_events.content_state import ContentState, MessageEvent, content_states, remove_content
from line_core.webhook_events.parsing import ReceivedEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection


class InboxEvent(ReceivedEvent, frozen=True, array_like=True, gc=False):
    """One stored event. The fields are columns of the table `events`."""

    position: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Number of events that a write stored and that it only counted."""

    new: int
    repeated: int


def write_events(connection: Connection, received: Sequence[ReceivedEvent]) -> WriteResult:
    """Store events. An event that is stored already keeps its first text; its delivery count increases.

    An edit or unsend event changes the state of the events that hold the message's content and moves them to new
    positions. An unsend also removes the content. The result does not depend on the order of arrival.

    Args:
        connection: A transaction of `store.write(lock="inbox")`. Without the lock, readers may skip events.
        received: Events of any channels, in the order of arrival; they may repeat.
    """
    distinct, rest = _split_repeats(received)
    inserted = insert_events(connection, distinct)
    while rest:
        distinct, rest = _split_repeats(rest)
        insert_events(connection, distinct)
    if inserted.new:
        for channel, message_id in inserted.known_messages | _repeated_messages(received):
            _update_content_states(connection, channel, message_id, inserted.last_position_before)
    return WriteResult(new=inserted.new, repeated=len(received) - inserted.new)


def read_events(
    connection: Connection, after_position: int, limit: int, *, types: Collection[str] = ()
) -> list[InboxEvent]:
    """Return the events after a position.

    Args:
        connection: Any transaction.
        after_position: Last position that was read; 0 for the first call.
        limit: Maximum number of events to return. A shorter result means that the end is reached.
        types: Return only these event types; empty for all.

    Returns:
        Events sorted by position. An event that changed after it was read (its message was edited or unsent) is
        returned again, at a new position.
    """
    query = select(*(events.c[name] for name in InboxEvent.__struct_fields__)).where(events.c.position > after_position)
    if types:
        query = query.where(events.c.type.in_(types))
    rows = connection.execute(query.order_by(events.c.position).limit(limit))
    return [InboxEvent(*row) for row in rows]


def last_position(connection: Connection) -> int:
    """Return the highest position, 0 in an empty inbox."""
    highest: int = connection.execute(select(func.coalesce(func.max(events.c.position), 0))).scalar_one()
    return highest


def move_to_end(connection: Connection, position: int, changes: Mapping[str, object]) -> None:
    """Change an event and move it to a new highest position, so that readers read it again.

    Args:
        connection: A transaction of `store.write(lock="inbox")`.
        position: Current position of the event.
        changes: New values by column.
    """
    deleted = connection.execute(delete(events).where(events.c.position == position).returning(events))
    row = dict(deleted.mappings().one())
    del row["position"]
    connection.execute(insert(events).values(row | dict(changes)))


def _split_repeats(received: Sequence[ReceivedEvent]) -> tuple[list[ReceivedEvent], list[ReceivedEvent]]:
    """Return the first event of each id, and the rest. One INSERT … ON CONFLICT cannot change a row twice."""
    firsts: dict[tuple[str, str], ReceivedEvent] = {}
    rest = [
        event for event in received if firsts.setdefault((event.channel, event.webhook_event_id), event) is not event
    ]
    return list(firsts.values()), rest


def _repeated_messages(received: Sequence[ReceivedEvent]) -> set[tuple[str, str]]:
    """Return channel and id of each message that at least two of the events are about."""
    first_event: dict[tuple[str, str], str] = {}
    repeated = set()
    for event in received:
        if event.message_id is not None:
            message = (event.channel, event.message_id)
            if first_event.setdefault(message, event.webhook_event_id) != event.webhook_event_id:
                repeated.add(message)
    return repeated


def _update_content_states(connection: Connection, channel: str, message_id: str, last_readable: int) -> None:
    """Set the content state of all events about one message.

    Events up to the position `last_readable` may have been read; a change moves them. Later events are part of the
    current transaction and are changed in place.
    """
    of_message = (events.c.channel == channel) & (events.c.message_id == message_id)
    rows = {row.position: row for row in connection.execute(select(events).where(of_message))}
    states = content_states(
        [MessageEvent(row.position, row.webhook_event_id, row.type, row.occurred_at) for row in rows.values()]
    )
    for position, state in sorted(states.items()):
        row = rows[position]
        if row.message_state == state:
            continue
        payload = remove_content(row.payload) if state is ContentState.UNSENT else row.payload
        changes = {"message_state": state.value, "payload": payload}
        if position > last_readable:
            connection.execute(update(events).where(events.c.position == position).values(changes))
        else:
            move_to_end(connection, position, changes)
