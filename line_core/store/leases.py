"""Leases: work that only one process may do at a time. Another process takes over when a lease expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.inbox import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection


def acquire_lease(connection: Connection, work: str, owner: str, seconds: float) -> bool:
    """Acquire a lease, or renew it.

    Args:
        connection: A write transaction.
        work: Name of the work.
        owner: Unique name of the process.
        seconds: Time until the lease expires unless it is renewed. It must be much longer than the difference between
            the clocks of the machines.

    Returns:
        Whether the owner has the lease now.
    """
    now = datetime.now(UTC)
    insert = insert_on_conflict(connection, leases).values(
        work=work, owner=owner, expires_at=now + timedelta(seconds=seconds)
    )
    upsert = insert.on_conflict_do_update(
        index_elements=["work"],
        set_={"owner": insert.excluded.owner, "expires_at": insert.excluded.expires_at},
        where=(leases.c.owner == owner) | (leases.c.expires_at < now),
    )
    return connection.scalar(upsert.returning(leases.c.owner)) is not None


def release_lease(connection: Connection, work: str, owner: str) -> None:
    """Release a lease, so that another process can acquire it immediately."""
    connection.execute(delete(leases).where(leases.c.work == work, leases.c.owner == owner))
