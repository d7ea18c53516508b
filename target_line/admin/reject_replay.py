"""Replay of rejects: process rejected records again after their cause was fixed.

Identity evidence is stored as in a run of the target. Storing it twice changes nothing, so its rejects are marked as
replayed in a later transaction. A message is scheduled and its reject is marked in one transaction, so the next run
sends it once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from line_core.store.dialects import in_values
from line_core.store.tables.rejects import rejects
from target_line.erasure.intake import without_erased_recipients, without_erased_records
from target_line.intake.rejects import Reject, notice_reject, save_rejects
from target_line.intake.roles import Role, role_of
from target_line.intake.singer_reader import UNREADABLE
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.cancellation import Cancellation
from target_line.sending.staging import MessageToStage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from line_core.identity.model import EvidenceRecord
    from target_line.run_context import RunContext

_BATCH_SIZE = 1000
"""Rejects read and processed together."""

# Outcomes, as the command prints them.
STORED = "taken in"
SCHEDULED = "scheduled, to be sent by the next run"
KNOWN = "known to the ledger by another record"
REJECTED = "refused again"
LEFT = "nothing to process: the record is not kept, its stream map failed, or the identity store has it"

_ABOUT_EVIDENCE = frozenset(
    {
        Reason.AMBIGUOUS_IDENTITY,
        Reason.TOO_MANY_LINE_IDS,
        Reason.SHARED_EMAIL,
        Reason.SHARED_LINE_ID,
        Reason.SHARED_ID,
    }
)
"""Reasons of rejects that the merge rules made from stored evidence. Their records are no input: they have no time."""


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Selects the rejects to replay; None selects all."""

    reason: str | None = None
    stream: str | None = None
    limit: int | None = None


@dataclass(slots=True)
class _ParsedBatch:
    """The records of a batch of rejects by reject_id: parsed, or rejected again."""

    evidence: list[EvidenceRecord] = field(default_factory=list)
    """Of all records, including the opt-outs of those that are rejected again."""
    stored: set[int] = field(default_factory=set)
    """Records that count as a whole."""
    messages: dict[int, MessageToStage] = field(default_factory=dict)
    cancellations: dict[int, Cancellation] = field(default_factory=dict)
    rejected: dict[int, Reject] = field(default_factory=dict)
    """Records that are rejected again, or of which an identifier is removed again."""
    left: set[int] = field(default_factory=set)
    """Rejects without a record to process."""


class RejectReplay:
    """Processes the rejected records of one channel with the current settings of the target."""

    def __init__(self, run_context: RunContext, stream_roles: Mapping[str, str]) -> None:
        """Create a replay.

        Args:
            run_context: The store, and the parser with the current settings.
            stream_roles: The setting of that name.
        """
        self._run_context = run_context
        self._stream_roles = stream_roles

    def run(self, reject_filter: RejectFilter) -> Counter[str]:
        """Process the selected rejects that are not marked as replayed, oldest first.

        Returns:
            The number of records by outcome.

        Raises:
            SettingError: The stream of a reject has no role.
        """
        outcomes: Counter[str] = Counter()
        for rows in self._batches(reject_filter):
            outcomes += self._replay(rows)
        return outcomes

    def _batches(self, reject_filter: RejectFilter) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
        remaining, last_reject_id = reject_filter.limit, 0
        while remaining is None or remaining > 0:
            table = rejects.c
            query = (
                select(table.reject_id, table.stream, table.reason, table.record)
                .where(
                    table.channel == self._run_context.channel,
                    table.replayed_at.is_(None),
                    table.reject_id > last_reject_id,
                    *([table.reason == reject_filter.reason] if reject_filter.reason else []),
                    *([table.stream == reject_filter.stream] if reject_filter.stream else []),
                )
                .order_by(table.reject_id)
                .limit(_BATCH_SIZE if remaining is None else min(remaining, _BATCH_SIZE))
            )
            with self._run_context.store.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield rows
            last_reject_id = rows[-1].reject_id
            remaining = None if remaining is None else remaining - len(rows)

    def _replay(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> Counter[str]:
        context = self._run_context
        batch = self._parse(rows)
        if batch.evidence:
            context.save_merge_policy()
            context.identity.ingest(batch.evidence)
        with context.store.write(lock="ledger") as connection:
            # Another process may have replayed some of them since they were read.
            open_ids = set(
                connection.scalars(
                    select(rejects.c.reject_id).where(
                        in_values(connection, rejects.c.reject_id, [row.reject_id for row in rows]),
                        rejects.c.replayed_at.is_(None),
                    )
                )
            )
            messages = without_erased_recipients(
                connection,
                context.erased,
                [message for reject_id, message in batch.messages.items() if reject_id in open_ids],
            )
            rejected = without_erased_records(
                connection,
                context.erased,
                context.parser,
                [reject for reject_id, reject in batch.rejected.items() if reject_id in open_ids],
            )
            scheduled = context.staging.reschedule_rejected(connection, messages)
            scheduled += context.staging.insert_new(connection, messages)
            context.staging.cancel(
                connection, [batch.cancellations[key] for key in open_ids & batch.cancellations.keys()]
            )
            save_rejects(connection, context.channel, rejected)
            self._mark_as_replayed(connection, open_ids - batch.rejected.keys() - batch.left)
        return Counter(
            {
                STORED: len(open_ids & (batch.stored | batch.cancellations.keys())),
                SCHEDULED: scheduled,
                KNOWN: len(messages) - scheduled,
                REJECTED: len(rejected),
                LEFT: len(open_ids & batch.left),
            }
        )

    def _parse(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> _ParsedBatch:
        """Parse the records. They are not validated: the schema of the tap is not stored, and may have been wrong."""
        batch = _ParsedBatch()
        for row in rows:
            role = role_of(row.stream, self._stream_roles)
            if row.record.keys() <= {UNREADABLE} or row.reason in (
                {Reason.NOT_MAPPED} if role is Role.MESSAGES else _ABOUT_EVIDENCE | {Reason.NOT_MAPPED}
            ):
                batch.left.add(row.reject_id)
                continue
            try:
                parsed = self._run_context.parser.parse(role, row.record)
            except RejectedRecordError as error:
                batch.rejected[row.reject_id] = Reject(row.stream, row.record, error.reason, error.detail)
                if error.opt_out:
                    batch.evidence.append(error.opt_out)
                continue
            if isinstance(parsed, MessageToStage):
                batch.messages[row.reject_id] = parsed
                continue
            if isinstance(parsed, Cancellation):
                batch.cancellations[row.reject_id] = parsed
                continue
            batch.evidence += parsed.records
            if parsed.notices:
                batch.rejected[row.reject_id] = notice_reject(row.stream, row.record, parsed.notices)
            else:
                batch.stored.add(row.reject_id)
        return batch

    def _mark_as_replayed(self, connection: Connection, reject_ids: set[int]) -> None:
        selected = in_values(connection, rejects.c.reject_id, reject_ids)
        connection.execute(update(rejects).where(selected).values(replayed_at=datetime.now(UTC)))
