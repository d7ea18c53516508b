"""The history of runs in the store: one row per run with its outcomes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert

from line_core.store.tables.runs import runs

if TYPE_CHECKING:
    from line_core.errors import LineError
    from line_core.store import Store
    from target_line.run_report import RunReport


class Run:
    """One run of the target: its id, channel, mode and start time."""

    def __init__(self, channel: str, mode: str) -> None:
        self.run_id = str(uuid.uuid4())
        self._channel = channel
        self._mode = mode
        self._started_at = datetime.now(UTC)

    def save(self, store: Store, report: RunReport, error: LineError | None) -> None:
        """Insert the row of this run.

        Args:
            store: The open store.
            report: The counts of the run.
            error: The error that ended the run, if any.

        Raises:
            StoreError: The store cannot be written.
        """
        with store.write() as connection:
            connection.execute(
                insert(runs).values(
                    run_id=self.run_id,
                    channel=self._channel,
                    mode=self._mode,
                    started_at=self._started_at,
                    finished_at=datetime.now(UTC),
                    outcomes=report.as_json(),
                    profiles=report.profile_changes(),
                    error=str(error) if error else None,
                )
            )
