"""Remove old events in small steps, so that requests never wait for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from line_core.store.inbox.retention import last_removable_position, removable_positions, remove_events

if TYPE_CHECKING:
    from line_core.store import Store

STEP_PAUSE_SECONDS: Final = 0.05
"""What to wait between steps."""

_STEP_EVENTS = 200


class Purge:
    """One pass over the inbox."""

    def __init__(self, store: Store, retention_days: float, *, unread: bool) -> None:
        """Set up; `step` removes.

        Args:
            store: The store.
            retention_days: How long events stay.
            unread: Remove also what a reader has not acknowledged.
        """
        self._store = store
        self._received_before = datetime.now(UTC) - timedelta(days=retention_days)
        self._unread = unread
        self._after = 0
        self._up_to: int | None = None

    def step(self) -> int | None:
        """Remove some events.

        Returns:
            How many; none when there are no more.

        Raises:
            StoreError: The store cannot be used.
        """
        with self._store.read() as connection:
            if self._up_to is None:
                self._up_to = last_removable_position(connection, self._received_before, include_unread=self._unread)
            positions = removable_positions(connection, after=self._after, up_to=self._up_to, limit=_STEP_EVENTS)
        if not positions:
            return None
        self._after = positions[-1]
        with self._store.write() as connection:
            return remove_events(connection, positions)
