"""Erase a person from the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select

from line_core.store.inbox.events import move_to_end
from line_core.store.tables.inbox import events, relay_requests

if TYPE_CHECKING:
    from sqlalchemy import Connection

ERASED_LINE_ID = "U" + "0" * 32
"""Replaces an erased LINE ID in the events of other people."""


def rows_naming(connection: Connection, line_id: str) -> dict[str, int]:
    """Return the number of events and of relay requests that contain a LINE ID, by kind.

    `erase_line_id` erases all but the relay requests that wait: they are delivered soon, and then deleted.
    """
    named = or_(events.c.line_id == line_id, events.c.payload.contains(line_id, autoescape=True))
    relayed = relay_requests.c.body.contains(line_id, autoescape=True)
    queries = {
        "events": select(func.count()).select_from(events).where(named),
        "relay requests that wait": select(func.count()).where(relayed, relay_requests.c.dead_at.is_(None)),
        "relay dead letters": select(func.count()).where(relayed, relay_requests.c.dead_at.is_not(None)),
    }
    return {kind: connection.scalar(query) or 0 for kind, query in queries.items()}


def erase_line_id(connection: Connection, line_id: str) -> int:
    """Delete a person's events, and replace the LINE ID in the events of other people.

    An event that only mentions the person (a member who joined, a mention in a text) keeps its other content. It moves
    to a new position, so readers read it again. Dead letters of the relay queue that contain the LINE ID are deleted.

    Args:
        connection: A transaction of `store.write(lock="inbox")`.
        line_id: LINE ID to erase.

    Returns:
        Number of events that were deleted or changed.
    """
    deleted = connection.execute(delete(events).where(events.c.line_id == line_id)).rowcount
    mentions = connection.execute(
        select(events.c.position, events.c.payload)
        .where(events.c.payload.contains(line_id, autoescape=True))
        .order_by(events.c.position)
    ).all()
    for position, payload in mentions:
        move_to_end(connection, position, {"payload": payload.replace(line_id, ERASED_LINE_ID)})
    connection.execute(
        delete(relay_requests).where(
            relay_requests.c.dead_at.is_not(None), relay_requests.c.body.contains(line_id, autoescape=True)
        )
    )
    return deleted + len(mentions)
