"""Try refused records again, after whatever was wrong with them has been mended.

Evidence is taken in as by a run; taking it in twice changes nothing, so its reject may be marked after it. A message is
scheduled and its reject marked by one commit, so that it is sent by the next run, once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from line_core.store.dialects import among
from line_core.store.tables.rejects import rejects
from target_line.intake.rejects import Reject, save_rejects
from target_line.intake.roles import Role, role_of
from target_line.reasons import RejectedRecordError
from target_line.sinks import SINKS, LineSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row

    from target_line.target import TargetLine

_BATCH = 1000

TAKEN_IN = "taken in"
SCHEDULED = "scheduled, to be sent by the next run"
KNOWN = "known to the ledger by another record"
REFUSED = "refused again"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rejects to try; None for all."""

    reason: str | None = None
    stream: str | None = None
    limit: int | None = None


@dataclass(slots=True)
class _Batch:
    """Rejects by what became of their records: what was read of them, by the reject's number."""

    evidence: dict[int, Any] = field(default_factory=dict)
    messages: dict[int, Any] = field(default_factory=dict)
    refused: dict[int, Reject] = field(default_factory=dict)


class Replay:
    """Tries rejects again, as a configured target would take in their records."""

    def __init__(self, target: TargetLine) -> None:
        """Use a target's store and settings."""
        self._target = target
        self._sinks: dict[str, LineSink] = {}

    def run(self, chosen: Chosen) -> Counter[str]:
        """Try rejects that were not replayed yet, the oldest first.

        Returns:
            How many ended in what way.

        Raises:
            SettingError: A reject's stream has no role.
        """
        outcomes: Counter[str] = Counter()
        for rows in self._batches(chosen):
            outcomes += self._try(rows)
        return outcomes

    def _batches(self, chosen: Chosen) -> Iterator[Sequence[Row[Any]]]:
        left, after = chosen.limit, 0
        while left is None or left > 0:
            table = rejects.c
            query = (
                select(table.reject_id, table.stream, table.record)
                .where(
                    table.channel == self._target.channel,
                    table.replayed_at.is_(None),
                    table.reject_id > after,
                    *([table.reason == chosen.reason] if chosen.reason else []),
                    *([table.stream == chosen.stream] if chosen.stream else []),
                )
                .order_by(table.reject_id)
                .limit(_BATCH if left is None else min(left, _BATCH))
            )
            with self._target.store.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield rows
            after = rows[-1].reject_id
            left = None if left is None else left - len(rows)

    def _try(self, rows: Sequence[Row[Any]]) -> Counter[str]:
        batch = self._read(rows)
        if batch.evidence:
            self._target.identity.ingest(list(batch.evidence.values()))
        with self._target.store.write(alone="ledger") as connection:
            # Another process may have tried them meanwhile.
            open_ids = set(
                connection.scalars(
                    select(rejects.c.reject_id).where(
                        among(connection, rejects.c.reject_id, [row.reject_id for row in rows]),
                        rejects.c.replayed_at.is_(None),
                    )
                )
            )
            messages = [read for reject_id, read in batch.messages.items() if reject_id in open_ids]
            refused = [reject for reject_id, reject in batch.refused.items() if reject_id in open_ids]
            ledger = self._target.ledger
            scheduled = ledger.reschedule_rejected(connection, messages) + ledger.stage(connection, messages)
            save_rejects(connection, self._target.channel, refused)
            self._mark(connection, open_ids - batch.refused.keys())
        return Counter(
            {
                TAKEN_IN: len(open_ids & batch.evidence.keys()),
                SCHEDULED: scheduled,
                KNOWN: len(messages) - scheduled,
                REFUSED: len(refused),
            }
        )

    def _read(self, rows: Sequence[Row[Any]]) -> _Batch:
        batch = _Batch()
        for row in rows:
            role = role_of(row.stream, self._target.config["stream_roles"])
            try:
                read = self._sink(row.stream, role).parse(row.record)
            except RejectedRecordError as error:
                batch.refused[row.reject_id] = Reject(row.stream, row.record, error.reason, error.detail)
                continue
            (batch.messages if role is Role.MESSAGES else batch.evidence)[row.reject_id] = read
        return batch

    def _sink(self, stream: str, role: Role) -> LineSink:
        """What reads a stream's records. The tap's schema is not kept, and was perhaps what was wrong."""
        if stream not in self._sinks:
            self._sinks[stream] = SINKS[role](self._target, stream, {"properties": {}}, [])
        return self._sinks[stream]

    def _mark(self, connection: Connection, reject_ids: set[int]) -> None:
        these = among(connection, rejects.c.reject_id, reject_ids)
        connection.execute(update(rejects).where(these).values(replayed_at=datetime.now(UTC)))
