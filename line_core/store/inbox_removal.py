"""Take events out of the inbox: when they are old and read, or when a person asks for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, func, select, text, tuple_

from line_core.store.dialects import insert_on_conflict
from line_core.store.inbox import move_to_end
from line_core.store.tables.inbox import events, readers, relay_requests

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

ERASED_LINE_ID = "U" + "0" * 32

_MEMBERSHIP_TYPES = ("join", "leave")
_FOLLOW_TYPES = ("follow", "unfollow")


def acknowledge(connection: Connection, reader: str, position: int) -> None:
    """Note that a reader has kept every event up to a position, so that retention may remove them.

    Args:
        connection: A write transaction.
        reader: Name of the reader; each of several needs its own.
        position: The last position that is safe with the reader: the bookmark a tap was started with, say, since
            the target of the run before has confirmed it. A smaller one than before means that it reads again.
    """
    new = insert_on_conflict(connection, readers).values(reader=reader, position=position, updated_at=datetime.now(UTC))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["reader"],
            set_={"position": new.excluded.position, "updated_at": new.excluded.updated_at},
        )
    )


def acknowledged_positions(connection: Connection) -> dict[str, int]:
    """How far each reader has acknowledged, by its name."""
    rows = connection.execute(select(readers.c.reader, readers.c.position).order_by(readers.c.reader))
    return {row.reader: row.position for row in rows}


def removable_up_to(connection: Connection, received_before: datetime, *, unread: bool) -> int:
    """The last position that retention may remove, 0 for none.

    Args:
        connection: Any transaction.
        received_before: Younger events stay, and all that stand behind the first of them.
        unread: Whether events may go that a reader has not acknowledged, or that nobody reads.
    """
    first_young = select(func.min(events.c.position)).where(events.c.received_at >= received_before)
    before_it = select(func.coalesce(first_young.scalar_subquery() - 1, func.max(events.c.position), 0))
    old: int = connection.execute(before_it).scalar_one()
    read: int = connection.execute(select(func.coalesce(func.min(readers.c.position), 0))).scalar_one()
    return old if unread else min(old, read)


def removable_positions(connection: Connection, *, after: int, up_to: int, limit: int) -> list[int]:
    """Find the next events that retention may remove.

    What the present is made of stays: each person's last follow or unfollow, and joins and leaves of groups.

    Args:
        connection: Any transaction.
        after: Where the search ended last time, 0 to begin with.
        up_to: The last position that may go.
        limit: Most positions to return.

    Returns:
        Positions in order; none when there are no more.
    """
    query = select(events.c.position).where(
        events.c.position > after,
        events.c.position <= up_to,
        events.c.type.not_in(_MEMBERSHIP_TYPES),
        ~_is_last_follow(),
    )
    return list(connection.scalars(query.order_by(events.c.position).limit(limit)))


def remove_positions(connection: Connection, positions: list[int]) -> int:
    """Remove events.

    Returns:
        How many there were; one that moved since it was found stays.
    """
    return connection.execute(delete(events).where(events.c.position.in_(positions))).rowcount


def erase_line_id(connection: Connection, line_id: str) -> int:
    """Remove a person from the inbox: their events, and their LINE ID from the events of others.

    Events that only mention them (as a member who joined, or in a mention) stay, with `ERASED_LINE_ID` in its place,
    and move to new positions, so that readers meet them again. Dead letters of relays that hold the ID go.

    Args:
        connection: A transaction of `store.write(alone="inbox")`.
        line_id: Whom to erase.

    Returns:
        How many events were removed or changed.
    """
    removed = connection.execute(delete(events).where(events.c.line_id == line_id)).rowcount
    mentioning = connection.execute(
        select(events.c.position, events.c.payload)
        .where(events.c.payload.contains(line_id, autoescape=True))
        .order_by(events.c.position)
    ).all()
    for position, payload in mentioning:
        move_to_end(connection, position, {"payload": payload.replace(line_id, ERASED_LINE_ID)})
    connection.execute(
        delete(relay_requests).where(
            relay_requests.c.dead_at.is_not(None), relay_requests.c.body.contains(line_id, autoescape=True)
        )
    )
    return removed + len(mentioning)


def _is_last_follow() -> ColumnElement[bool]:
    later = events.alias("later")
    return and_(
        events.c.type.in_(_FOLLOW_TYPES),
        events.c.line_id.is_not(None),
        ~exists().where(
            later.c.channel == events.c.channel,
            later.c.line_id == events.c.line_id,
            # In these words the partial index says it, and SQLite compares words.
            text("later.type IN ('follow', 'unfollow')"),
            tuple_(later.c.occurred_at, later.c.position) > tuple_(events.c.occurred_at, events.c.position),
        ),
    )
