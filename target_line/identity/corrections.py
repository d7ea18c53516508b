"""Corrections by an operator: undo a merge, detach an identifier, withdraw a record, and take each of them back.

A correction is evidence like other records, so it stays in force when the same records are loaded again. Each has a row
in `merges`, which keeps what it added to the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select, update

from line_core.identity.codec import decode_evidence
from line_core.identity.model import UNDATED, Correction, Evidence, Identifier
from line_core.identity.results import CORRECTION_RULES, Merge, MergeRule
from line_core.identity.rules import resolve
from line_core.store.tables import identity as tables
from target_line.identity.batch_writer import BatchWriter
from target_line.identity.cluster_queries import clusters_of, encoded_evidence_of
from target_line.identity.correction_plans import (
    CorrectionError,
    CorrectionPlan,
    plan_detach,
    plan_unmerge,
    plan_withdraw,
)
from target_line.identity.ingestion import BatchIngestion, profiles_by_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Row

    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile
    from line_core.store import Store
    from target_line.identity.changes import IdentityChanges


@dataclass(frozen=True, slots=True)
class CorrectionEffect:
    """The profiles that a correction changes."""

    before: list[Profile]
    after: list[Profile]


@dataclass(frozen=True, slots=True)
class AppliedCorrection:
    """A stored correction."""

    number: int | None
    """Its number in `merges`; None if a correction was taken back."""
    changes: IdentityChanges


class IdentityCorrections:
    """Plans corrections and applies them. A plan shows its effect, and changes nothing until it is applied."""

    def __init__(self, store: Store, policy: MergePolicy, channel: str = "main") -> None:
        """Use an open store.

        Args:
            store: The open store.
            policy: Settings of the merge rules.
            channel: Name of the channel whose follow states count, and under which rejects are saved.
        """
        self._store = store
        self._policy = policy
        self._channel = channel

    def plan_unmerge(self, merge_id: int) -> CorrectionPlan:
        """Plan to undo a merge, or a moved, superseded or unlinked identifier.

        Args:
            merge_id: Number of the row in `merges`.

        Raises:
            CorrectionError: There is no such merge, it is undone already, or it is not in force any more.
        """
        with self._store.read() as connection:
            row = _row(connection, merge_id)
            if row.rule in CORRECTION_RULES:
                raise CorrectionError(f"{merge_id} is a correction; `target-line-admin undo {merge_id}` takes it back")
            if row.undone_at is not None:
                raise CorrectionError(f"merge {merge_id} is undone already")
            merge = _merge(row)
            evidence = _evidence_of(connection, (merge.survivor, merge.absorbed, merge.identifier))
        return plan_unmerge(merge_id, merge, evidence, self._policy)

    def plan_detach(self, identifier: Identifier) -> CorrectionPlan:
        """Plan to void all links of an identifier, so that it is a profile of its own.

        Raises:
            CorrectionError: No profile has the identifier, or it is detached already.
        """
        with self._store.read() as connection:
            evidence = _evidence_of(connection, [identifier])
        return plan_detach(identifier, evidence, self._policy)

    def plan_withdraw(self, identifiers: Collection[Identifier], at: int) -> CorrectionPlan:
        """Plan to withdraw the records that name exactly some identifiers and have a certain time.

        Args:
            identifiers: All identifiers of the records.
            at: Time in milliseconds, or UNDATED.

        Raises:
            CorrectionError: There is no such record.
        """
        with self._store.read() as connection:
            evidence = _evidence_of(connection, identifiers)
        return plan_withdraw(identifiers, at, evidence, self._policy)

    def plan_undo(self, merge_id: int) -> CorrectionPlan:
        """Plan to take a correction back.

        Args:
            merge_id: Number of the correction's row in `merges`, or of the row that it undid.

        Raises:
            CorrectionError: There is no such correction, or it is taken back already.
        """
        with self._store.read() as connection:
            row = _correction_row(connection, merge_id)
            # The first version stored no document, and only undid merges.
            document = row.correction or {"undoes": _undone_by(connection, row)}
        merge = _merge(row)
        added = (
            msgspec.convert(document["added"], tuple[Correction, ...])
            if "added" in document
            else (Correction.separate(merge.survivor, merge.identifier),)
        )
        return CorrectionPlan(
            merge,
            removed=added,
            withdrawn=document.get("withdrawn"),
            undoes=document.get("undoes"),
            takes_back=row.merge_id,
        )

    def effect(self, plan: CorrectionPlan) -> CorrectionEffect:
        """Return the profiles that a plan changes, as they are and as they will be."""
        with self._store.read() as connection:
            evidence = _evidence_of(connection, plan.identifiers)
        before = resolve(evidence, self._policy, self._channel).profiles
        plan.change(evidence)
        after = resolve(evidence, self._policy, self._channel).profiles
        return CorrectionEffect(
            [profile for profile in before if profile not in after],
            [profile for profile in after if profile not in before],
        )

    def apply(self, plan: CorrectionPlan) -> AppliedCorrection:
        """Store a plan.

        Raises:
            CorrectionError: Another process has undone the merge, taken the correction back, or erased one of the
                persons meanwhile.
        """
        ends = plan.takes_back or plan.undoes
        with self._store.write(lock="identity") as connection:
            if ends is not None and _row(connection, ends).undone_at is not None:
                raise CorrectionError(f"another process has undone {ends} meanwhile")
            if plan.takes_back is None and plan.identifiers - clusters_of(connection, plan.identifiers).keys():
                raise CorrectionError("another process has erased an identifier meanwhile")
            writer = BatchWriter(connection, self._channel)
            ingestion = BatchIngestion(connection, self._policy, writer, self._channel)
            if plan.takes_back is None:
                evidence = _evidence_of(connection, plan.identifiers)
                before = profiles_by_identifier(resolve(evidence, self._policy, self._channel).profiles)
                changes = ingestion.add(list(plan.added))
                writer.add_merge(plan.merge, before, plan.document())
            else:
                _set_undone_at(connection, plan.undoes, None)
                changes = ingestion.change(plan.identifiers, plan.change)
            _set_undone_at(connection, ends, datetime.now(UTC))
            writer.flush()
            number = None
            if plan.takes_back is None:
                of_rule = tables.merges.c.rule == plan.merge.rule
                number = connection.scalar(select(func.max(tables.merges.c.merge_id)).where(of_rule))
        return AppliedCorrection(number, changes)


def _evidence_of(connection: Connection, identifiers: Iterable[Identifier]) -> Evidence:
    """Return the evidence of all clusters that contain any of the identifiers."""
    evidence = Evidence()
    clusters = set(clusters_of(connection, identifiers).values())
    for _, text in sorted(encoded_evidence_of(connection, clusters).items()):
        evidence.merge(decode_evidence(text))
    return evidence


def _row(connection: Connection, merge_id: int) -> Row[Any]:
    row = connection.execute(select(tables.merges).where(tables.merges.c.merge_id == merge_id)).one_or_none()
    if row is None:
        raise CorrectionError(f"there is no merge {merge_id}; see `target-line-admin merges`")
    return row


def _correction_row(connection: Connection, merge_id: int) -> Row[Any]:
    """Return the row of a correction that is in force, by its number or by that of the row that it undid."""
    row = _row(connection, merge_id)
    if row.rule in CORRECTION_RULES:
        if row.undone_at is not None:
            raise CorrectionError(f"correction {merge_id} is taken back already")
        return row
    table = tables.merges.c
    names = (table.survivor == row.survivor, table.absorbed == row.absorbed, table.identifier == row.identifier)
    corrections = select(tables.merges).where(*names, table.rule.in_(CORRECTION_RULES), table.undone_at.is_(None))
    for correction in connection.execute(corrections.order_by(table.merge_id.desc())):
        if (correction.correction or {}).get("undoes", merge_id) == merge_id:
            return correction
    raise CorrectionError(f"merge {merge_id} is not undone; see `target-line-admin merges`")


def _undone_by(connection: Connection, row: Row[Any]) -> int | None:
    """Return the number of the row that a correction of the first version undid."""
    table = tables.merges.c
    names = (table.survivor == row.survivor, table.absorbed == row.absorbed, table.identifier == row.identifier)
    undone = (table.merge_id < row.merge_id, table.undone_at.is_not(None), table.rule.not_in(CORRECTION_RULES))
    number: int | None = connection.scalar(select(func.max(table.merge_id)).where(*names, *undone))
    return number


def _merge(row: Row[Any]) -> Merge:
    survivor, absorbed, identifier = map(Identifier.parse, (row.survivor, row.absorbed, row.identifier))
    return Merge(MergeRule(row.rule), survivor, absorbed, identifier, UNDATED)


def _set_undone_at(connection: Connection, merge_id: int | None, undone_at: datetime | None) -> None:
    if merge_id is not None:
        merges = tables.merges
        changed = {"undone_at": undone_at, "changed_at": datetime.now(UTC)}
        connection.execute(update(merges).where(merges.c.merge_id == merge_id).values(changed))
