"""Runs in the store: what each did with its records."""

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
    """One run of the target."""

    def __init__(self, channel: str, mode: str) -> None:
        """Begin.

        Args:
            channel: Name of the channel that sends.
            mode: What is done with the messages that are due.
        """
        self.run_id = str(uuid.uuid4())
        self._channel = channel
        self._mode = mode
        self._started_at = datetime.now(UTC)

    def save(self, store: Store, report: RunReport, error: LineError | None) -> None:
        """Keep the run's figures, and why it ended early, if it did.

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
