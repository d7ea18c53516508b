"""Leases: work that only one process at a time may do, and that another takes over when that one has died."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.inbox import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection


def take_lease(connection: Connection, work: str, owner: str, seconds: float) -> bool:
    """Take a lease, or keep it.

    Args:
        connection: A write transaction.
        work: Name of the work.
        owner: Name of the process, unlike any other's.
        seconds: How long the owner may go without asking again. The machines' clocks must agree to much less.

    Returns:
        Whether the owner has it now.
    """
    now = datetime.now(UTC)
    insert = insert_on_conflict(connection, leases).values(
        work=work, owner=owner, expires_at=now + timedelta(seconds=seconds)
    )
    taken = insert.on_conflict_do_update(
        index_elements=["work"],
        set_={"owner": insert.excluded.owner, "expires_at": insert.excluded.expires_at},
        where=(leases.c.owner == owner) | (leases.c.expires_at < now),
    )
    return connection.scalar(taken.returning(leases.c.owner)) is not None


def release_lease(connection: Connection, work: str, owner: str) -> None:
    """Let another process take the work over at once."""
    connection.execute(delete(leases).where(leases.c.work == work, leases.c.owner == owner))
