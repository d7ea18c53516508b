"""Retention: find and delete events that are old and acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, func, select, text, tuple_

from line_core.store.tables.inbox import events, readers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_MEMBERSHIP_TYPES = ("join", "leave")
_FOLLOW_TYPES = ("follow", "unfollow")


def last_removable_position(connection: Connection, received_before: datetime, *, include_unread: bool) -> int:
    """Return the last position that retention may delete, 0 for none.

    Args:
        connection: Any transaction.
        received_before: Keep the first event received at or after this time, and all events behind it.
        include_unread: Also delete events that a reader has not acknowledged, or that have no reader.
    """
    first_recent = select(func.min(events.c.position)).where(events.c.received_at >= received_before)
    last_old = select(func.coalesce(first_recent.scalar_subquery() - 1, func.max(events.c.position), 0))
    old: int = connection.execute(last_old).scalar_one()
    read: int = connection.execute(select(func.coalesce(func.min(readers.c.position), 0))).scalar_one()
    return old if include_unread else min(old, read)


def removable_positions(connection: Connection, *, after: int, up_to: int, limit: int) -> list[int]:
    """Return the next events that retention may delete.

    Events that define the current state are kept: the last follow or unfollow of each person, and joins and leaves of
    groups.

    Args:
        connection: Any transaction.
        after: Last position of the previous call; 0 for the first call.
        up_to: Last position that may be deleted.
        limit: Maximum number of positions to return.

    Returns:
        Positions in ascending order; empty at the end.
    """
    query = select(events.c.position).where(
        events.c.position > after,
        events.c.position <= up_to,
        events.c.type.not_in(_MEMBERSHIP_TYPES),
        ~_is_last_follow(),
    )
    return list(connection.scalars(query.order_by(events.c.position).limit(limit)))


def remove_events(connection: Connection, positions: list[int]) -> int:
    """Delete events and return the number of deleted rows. An event that has moved since the search is kept."""
    return connection.execute(delete(events).where(events.c.position.in_(positions))).rowcount


def _is_last_follow() -> ColumnElement[bool]:
    later = events.alias("later")
    return and_(
        events.c.type.in_(_FOLLOW_TYPES),
        events.c.line_id.is_not(None),
        ~exists().where(
            later.c.channel == events.c.channel,
            later.c.line_id == events.c.line_id,
            # SQLite uses a partial index only if the query repeats its condition literally.
            text("later.type IN ('follow', 'unfollow')"),
            tuple_(later.c.occurred_at, later.c.position) > tuple_(events.c.occurred_at, events.c.position),
        ),
    )
