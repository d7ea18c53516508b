"""Ingestion of a batch of evidence: extend the clusters that it touches, and record the merges that result."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.consent import consent_of
from line_core.identity.codec import decode_evidence, encode_evidence, encode_record
from line_core.identity.model import (
    UNDATED,
    Claim,
    DatedValue,
    Evidence,
    Follow,
    IdentifierKind,
    RefusedOptOut,
    identifiers_in,
)
from line_core.identity.results import ABSORBING_RULES, SHARED_REASONS
from line_core.identity.rules import resolve
from line_core.identity.sharing import linking_identifiers, newly_shared, split_evidence
from line_core.store.dialects import in_values
from line_core.store.tables import identity as tables
from target_line.identity.changes import IdentityChanges
from target_line.identity.cluster_queries import SHARED, clusters_of, encoded_evidence_of
from target_line.identity.grouping import group_connected

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import EvidenceRecord, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Merge, Profile
    from target_line.identity.batch_writer import BatchWriter
    from target_line.identity.grouping import EvidenceGroup


_LINE_ID = IdentifierKind.LINE_ID  # looking up a member of an enumeration takes as long as a function call


class BatchIngestion:
    """Adds one batch of evidence to the clusters of the store. The rows are collected in a `BatchWriter`."""

    def __init__(self, connection: Connection, policy: MergePolicy, writer: BatchWriter, channel: str) -> None:
        self._connection = connection
        self._policy = policy
        self._writer = writer
        self._channel = channel

    def add(self, records: Sequence[EvidenceRecord]) -> IdentityChanges:
        """Add the records of the batch."""
        changes = IdentityChanges()
        cluster_of = clusters_of(self._connection, {name for record in records for name in identifiers_in(record)})
        shared = {name for name, cluster in cluster_of.items() if cluster == SHARED}
        if shared:
            cluster_of = {name: cluster for name, cluster in cluster_of.items() if name not in shared}
            records = list(self._linking(records, shared))
        stored = encoded_evidence_of(self._connection, set(cluster_of.values()))
        for group in group_connected(records, cluster_of, shared):
            encoded = [stored[cluster] for cluster in sorted(group.clusters)] if group.clusters else []
            if not self._add_single_record(group, encoded, shared, changes):
                changes.add(self._add_group(group, encoded, shared))
        return changes

    def _linking(self, records: Iterable[EvidenceRecord], shared: set[Identifier]) -> Iterator[EvidenceRecord]:
        """Yield the records that name an identifier that is not shared. Reject the others."""
        for record in records:
            if linking_identifiers(record, shared):
                yield record
            else:
                self._writer.reject_record_of_shared(record)

    def _add_group(self, group: EvidenceGroup, stored: list[str], shared: set[Identifier]) -> IdentityChanges:
        """Add a group of records to the stored evidence of its clusters."""
        before = [decode_evidence(text) for text in stored]
        records = list(_dated(group.records, before))
        if len(before) == 1 and all(map(before[0].covers, records)):
            return IdentityChanges()
        after = Evidence()
        for evidence in before:
            after.merge(evidence)
        for record in records:
            after.add(record)
            if shared:
                after.shared |= shared.intersection(identifiers_in(record))
        if new := newly_shared(after, self._policy):
            return self.split(group.clusters, before, after, new)
        known = [evidence.identifiers() for evidence in before]
        self._writer.add_cluster(
            group.clusters,
            encode_evidence(after),
            new=after.identifiers().difference(*known),
            moved=set().union(*known[1:]),
        )
        return self._record_changes(before, [after])

    def _add_single_record(
        self, group: EvidenceGroup, stored: list[str], shared: set[Identifier], changes: IdentityChanges
    ) -> bool:
        """Handle the two most frequent cases without decoding and resolving evidence; False if it is another case.

        The counts are added to `changes`.
        """
        record = group.records[0]
        if len(group.records) > 1 or not isinstance(record, (Claim, Follow)):
            return False
        names = identifiers_in(record)
        if shared and not shared.isdisjoint(names):
            return False
        encoded = encode_record(record)
        if stored:
            return stored == [encoded]  # the cluster consists of this record already
        self._writer.add_cluster(set(), encoded, new=group.identifiers)
        if names[0].kind is _LINE_ID:  # the last kind
            changes.anonymous += 1
        else:
            changes.identified += 1
        return True

    def split(
        self, clusters: set[int], before: list[Evidence], after: Evidence, new: set[Identifier]
    ) -> IdentityChanges:
        """Mark identifiers as shared permanently, and store each component that remains as a cluster.

        Args:
            clusters: The clusters of the evidence.
            before: The evidence of the clusters before.
            after: All evidence now.
            new: The identifiers that became shared.
        """
        known = {name for evidence in before for name in evidence.identifiers()}
        for identifier in sorted(new):
            self._writer.add_shared(identifier, is_known=identifier in known)
        after.shared |= new
        for record in after.records():
            if not linking_identifiers(record, after.shared):
                self._writer.reject_record_of_shared(record)
        components = split_evidence(after)
        for number, component in enumerate(components):
            names = component.identifiers()
            self._writer.add_cluster(
                set() if number else clusters,
                encode_evidence(component),
                new=names - known,
                moved=names & known,
            )
        if not components:
            self._writer.delete_clusters(clusters)
        changes = self._record_changes(before, components)
        changes.rejections.update(SHARED_REASONS[identifier.kind] for identifier in new)
        return changes

    def change(self, identifiers: Iterable[Identifier], change: Callable[[Evidence], None]) -> IdentityChanges:
        """Change the evidence of the clusters that contain any of the identifiers. It must connect no clusters."""
        changes = IdentityChanges()
        clusters = set(clusters_of(self._connection, identifiers).values())
        for cluster, text in sorted(encoded_evidence_of(self._connection, clusters).items()):
            before, after = decode_evidence(text), decode_evidence(text)
            change(after)
            known, names = before.identifiers(), after.identifiers()
            if names:
                self._writer.add_cluster({cluster}, encode_evidence(after), new=names - known)
            else:
                self._writer.delete_clusters([cluster])
            self._writer.delete_identifiers(known - names)
            changes.add(self._record_changes([before], [after], without_known=True))
        return changes

    def _record_changes(
        self, before: list[Evidence], after: list[Evidence], *, without_known: bool = False
    ) -> IdentityChanges:
        """Record the merges and rejected identifiers that the evidence before did not have.

        Args:
            before: The evidence before.
            after: The evidence now.
            without_known: Whether merges that have a row already are left out.
        """
        old = [resolve(evidence, self._policy, self._channel) for evidence in before]
        new = [resolve(evidence, self._policy, self._channel) for evidence in after]
        old_profiles = [profile for resolution in old for profile in resolution.profiles]
        new_profiles = [profile for resolution in new for profile in resolution.profiles]
        old_merges = {merge for resolution in old for merge in resolution.merges}
        new_merges = {merge for resolution in new for merge in resolution.merges}
        old_absorbed, new_absorbed = _absorbed(old_merges), _absorbed(new_merges)
        # An absorbed identifier has one row, whatever its survivor is called later.
        merges = {
            merge
            for merge in new_merges - old_merges
            if merge.rule not in ABSORBING_RULES or merge.absorbed not in old_absorbed
        }
        if merges and without_known:
            merges -= self._known(merges)
        profile_of = profiles_by_identifier(old_profiles) if merges else {}
        for merge in sorted(merges, key=lambda merge: (merge.evidence_at, merge.rule, merge.identifier)):
            self._writer.add_merge(merge, profile_of)
        rejected = {item for resolution in new for item in resolution.rejected_identifiers}
        rejected = rejected.difference(*(resolution.rejected_identifiers for resolution in old))
        for item in sorted(rejected, key=lambda item: (item.identifier, item.claimed_by)):
            self._writer.add_rejected_identifier(item)
        anonymous = _count_anonymous(new_profiles) - _count_anonymous(old_profiles)
        return IdentityChanges(
            anonymous,
            len(new_profiles) - len(old_profiles) - anonymous,
            len(new_absorbed) - len(old_absorbed),
            Counter(merge.rule for merge in merges),
            Counter(item.reason for item in rejected),
        )

    def _known(self, merges: Collection[Merge]) -> set[Merge]:
        """Return those of some merges that have a row which is not undone."""
        table = tables.merges.c
        absorbed = {str(merge.absorbed) for merge in merges}
        query = select(table.rule, table.survivor, table.absorbed, table.identifier).where(
            in_values(self._connection, table.absorbed, absorbed), table.undone_at.is_(None)
        )
        rows = {tuple(row) for row in self._connection.execute(query)}
        absorbing = {(rule, absorbed) for rule, _, absorbed, _ in rows}
        return {
            merge
            for merge in merges
            if (merge.rule, str(merge.survivor), str(merge.absorbed), str(merge.identifier)) in rows
            or (merge.rule in ABSORBING_RULES and (merge.rule, str(merge.absorbed)) in absorbing)
        }


def _absorbed(merges: Iterable[Merge]) -> set[Identifier]:
    return {merge.absorbed for merge in merges if merge.rule in ABSORBING_RULES}


def _dated(records: Sequence[EvidenceRecord], stored: Iterable[Evidence]) -> Iterator[EvidenceRecord]:
    """Yield the records. An undated opt-out of a rejected record gets the time of the newest claim of its identifiers.

    Args:
        records: Records of a batch, in their order.
        stored: The evidence of their clusters.
    """
    if not any(isinstance(record, RefusedOptOut) for record in records):
        yield from records
        return
    newest: dict[Identifier, int] = {}

    def add(claim: Claim) -> None:
        for name in claim.identifiers:
            newest[name] = max(claim.last_at, newest.get(name, UNDATED))

    for evidence in stored:
        for claim in evidence.claims.values():
            add(claim)
    for record in records:
        if isinstance(record, Claim):
            add(record)
        if isinstance(record, RefusedOptOut):
            at = max((newest.get(name, UNDATED) for name in record.identifiers), default=UNDATED)
            attributes = {
                name: DatedValue(at, dated.value) if dated.at == UNDATED and consent_of(dated.value) else dated
                for name, dated in record.attributes.items()
            }
            yield RefusedOptOut(record.identifiers, attributes)
        else:
            yield record


def profiles_by_identifier(profiles: Iterable[Profile]) -> dict[Identifier, Profile]:
    """Return the profile of each identifier."""
    return {name: profile for profile in profiles for name in profile.identifiers}


def _count_anonymous(profiles: Iterable[Profile]) -> int:
    return sum(profile.id is None and profile.email is None for profile in profiles)
