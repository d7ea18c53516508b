"""Acknowledgements: the position up to which each reader of the inbox has stored the events elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.inbox import readers

if TYPE_CHECKING:
    from sqlalchemy import Connection


def acknowledge(connection: Connection, reader: str, position: int) -> None:
    """Record that a reader has stored every event up to a position, so that retention may delete them.

    Args:
        connection: A write transaction.
        reader: Name of the reader, unique among all readers.
        position: Last position that the reader has stored durably. For a tap, this is the bookmark of its start, which
            the target of the previous run has confirmed. A lower position than before means that it starts over.
    """
    new = insert_on_conflict(connection, readers).values(reader=reader, position=position, updated_at=datetime.now(UTC))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["reader"],
            set_={"position": new.excluded.position, "updated_at": new.excluded.updated_at},
        )
    )


def acknowledged_positions(connection: Connection) -> dict[str, int]:
    """Return the acknowledged position of each reader, by name."""
    rows = connection.execute(select(readers.c.reader, readers.c.position).order_by(readers.c.reader))
    return {row.reader: row.position for row in rows}
