"""The history of runs in the store: one row per run with its outcomes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, update

from line_core.errors import LineError
from line_core.store.tables.runs import runs

if TYPE_CHECKING:
    from line_core.store import Store
    from target_line.run_report import RunReport


class Run:
    """One run of the target: its id, channel, mode and start time. Its row is there from its start.

    So a run whose process was killed, or lost its store, has a row without an end.
    """

    def __init__(self, channel: str, mode: str) -> None:
        self.run_id = str(uuid.uuid4())
        self._channel = channel
        self.mode = mode
        self._started_at = datetime.now(UTC)

    def start(self, store: Store) -> None:
        """Insert the row of this run.

        Raises:
            StoreError: The store cannot be written.
        """
        row = {"run_id": self.run_id, "channel": self._channel, "mode": self.mode, "started_at": self._started_at}
        with store.write() as connection:
            connection.execute(insert(runs).values(**row, outcomes={}, profiles={}))

    def save(self, store: Store, report: RunReport, error: Exception | None) -> None:
        """Complete the row of this run.

        Args:
            store: The open store.
            report: The counts of the run.
            error: What ended the run early, if anything did. Its text is stored only if it is written for users.

        Raises:
            StoreError: The store cannot be written.
        """
        text = str(error) if isinstance(error, LineError) else type(error).__name__ if error else None
        with store.write() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.run_id == self.run_id)
                .values(
                    finished_at=datetime.now(UTC),
                    outcomes=report.as_json(),
                    profiles=report.profile_changes(),
                    error=text,
                )
            )
