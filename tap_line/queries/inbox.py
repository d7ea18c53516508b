"""Queries of the inbox: channels and senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from line_core.ids import is_line_id
from line_core.store.tables.inbox import events

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PAGE_SIZE = 5000


def inbox_channels(connection: Connection) -> list[str]:
    """Return the names of all channels with events, sorted."""
    names: list[str] = []
    # One index lookup per channel, independent of the number of events.
    while name := connection.scalar(select(func.min(events.c.channel)).where(events.c.channel > (names or [""])[-1])):
        names.append(name)
    return names


def senders_after_position(connection: Connection, channel: str, position: int) -> tuple[set[str], int | None]:
    """Return the senders of the next 5,000 events after a position.

    Returns:
        LINE IDs of the channel's senders, and the position of the last of these events (None at the end of the inbox).
    """
    rows = connection.execute(
        select(events.c.line_id, events.c.channel, events.c.position)
        .where(events.c.position > position)
        .order_by(events.c.position)
        .limit(_PAGE_SIZE)
    ).all()
    line_ids = {row.line_id for row in rows if row.channel == channel and is_line_id(row.line_id)}
    return line_ids, rows[-1].position if rows else None
