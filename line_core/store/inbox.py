"""Write and read the inbox.

Positions: the database numbers the rows, and all writers hold the inbox's lock from before the first number until the
commit. So numbers become visible in their order, and a reader that goes on after the last position it saw never skips
an event. Numbers are never given twice; there may be gaps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from line_core.store.tables.inbox import events

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from line_core.events import ReceivedEvent


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

    Args:
        connection: A transaction of `store.write(alone="inbox")`: without the lock a reader may skip events.
        received: Events in the order in which they came, of any channels; repeated ones too.
    """
    if not received:
        return Written(0, 0)
    first_deliveries: dict[tuple[str, str], ReceivedEvent] = {}
    deliveries: dict[tuple[str, str], int] = {}
    for event in received:
        key = (event.channel, event.webhook_event_id)
        first_deliveries.setdefault(key, event)
        deliveries[key] = deliveries.get(key, 0) + 1
    last = connection.scalar(select(func.max(events.c.position))) or 0
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(events)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["channel", "webhook_event_id"],
            set_={"deliveries": events.c.deliveries + insert.excluded.deliveries},
        ),
        [asdict(event) | {"deliveries": deliveries[key]} for key, event in first_deliveries.items()],
    )
    new = connection.scalar(select(func.count()).where(events.c.position > last)) or 0
    return Written(new=new, repeated=len(received) - new)


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
        Events in the order of their positions. An event whose row changed since it was read (its message was unsent
        or edited) comes again, with a new position.
    """
    query = select(*(events.c[name] for name in InboxEvent.__dataclass_fields__)).where(
        events.c.position > bindparam("after", after_position)
    )
    if types:
        query = query.where(events.c.type.in_(types))
    rows = connection.execute(query.order_by(events.c.position).limit(limit))
    return [InboxEvent(*row) for row in rows]
