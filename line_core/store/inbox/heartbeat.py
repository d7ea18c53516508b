"""Heartbeat of the receivers: a write that shows that the inbox is writable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.inbox import heartbeats

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def write_heartbeat(connection: Connection, at: datetime) -> None:
    """Write the time of the last heartbeat. Events do not change."""
    new = insert_on_conflict(connection, heartbeats).values(heartbeat_id=1, beat_at=at)
    connection.execute(
        new.on_conflict_do_update(index_elements=["heartbeat_id"], set_={"beat_at": new.excluded.beat_at})
    )
