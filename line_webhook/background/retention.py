"""Remove old events from the inbox, in small transactions, so that webhook requests do not wait long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from line_core.store.inbox.retention import last_removable_position, removable_positions, remove_events

if TYPE_CHECKING:
    from line_core.store import Store

PAUSE_BETWEEN_STEPS_SECONDS: Final = 0.05

_EVENTS_PER_STEP = 200


class RetentionPurge:
    """One pass over the inbox. Call `step` until it returns none."""

    def __init__(self, store: Store, retention_days: float, *, include_unread: bool) -> None:
        """Prepare a pass.

        Args:
            store: The store.
            retention_days: Age in days above which events are removed.
            include_unread: Also remove events that no reader has acknowledged.
        """
        self._store = store
        self._received_before = datetime.now(UTC) - timedelta(days=retention_days)
        self._include_unread = include_unread
        self._after = 0
        self._up_to: int | None = None

    def step(self) -> int | None:
        """Remove the next events in one transaction.

        Returns:
            Number of removed events; none after the last step.

        Raises:
            StoreError: The store cannot be used.
        """
        with self._store.read() as connection:
            if self._up_to is None:
                self._up_to = last_removable_position(
                    connection, self._received_before, include_unread=self._include_unread
                )
            positions = removable_positions(connection, after=self._after, up_to=self._up_to, limit=_EVENTS_PER_STEP)
        if not positions:
            return None
        self._after = positions[-1]
        with self._store.write() as connection:
            return remove_events(connection, positions)
