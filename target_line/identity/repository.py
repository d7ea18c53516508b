"""Identity in the store: take in a batch of evidence, find the profiles that identifiers name.

A batch costs statements by the thousand rows, never one a record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence, encode_evidence, encode_record
from line_core.identity.model import (
    UNDATED,
    Claim,
    Evidence,
    Identifier,
    IdentifierKind,
    Merge,
    MergeRule,
    RejectionReason,
    SeparationConstraint,
)
from line_core.identity.rules import Resolution, resolve
from line_core.identity.sharing import identifiers_in, shared_emails, split_without_emails, without_emails
from line_core.store.tables import identity as tables
from target_line.identity.rows import SHARED, BatchWriter, clusters_of, documents_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import EvidenceRecord, Profile
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store

_PAGE = 1000


class UnknownPersonError(LineError):
    """No profile in the store has the given identifier."""


class UnmergeError(LineError):
    """The merge does not exist or is undone already."""


@dataclass
class IdentityChanges:
    """What a batch, or a run of batches, did to the profiles."""

    anonymous: int = 0
    """Net change of the profiles that are known by nothing but LINE IDs."""
    identified: int = 0
    """Net change of the others."""
    joins: Counter[MergeRule] = field(default_factory=Counter)
    doubts: Counter[RejectionReason] = field(default_factory=Counter)
    """Identifiers that profiles claim and do not get."""

    @property
    def profiles_added(self) -> int:
        """Net: a merge of two profiles is one less."""
        return self.anonymous + self.identified

    @property
    def merged(self) -> int:
        """How many profiles went into others."""
        return self.joins[MergeRule.ANONYMOUS_IDENTIFIED] + self.joins[MergeRule.EMAIL_IDENTIFIED]

    def add(self, other: IdentityChanges) -> None:
        """Add another batch's changes."""
        self.anonymous += other.anonymous
        self.identified += other.identified
        self.joins.update(other.joins)
        self.doubts.update(other.doubts)


@dataclass(eq=False)
class _Group:
    """Evidence of one batch that hangs together, with the clusters that it touches."""

    identifiers: set[Identifier] = field(default_factory=set)
    clusters: set[int] = field(default_factory=set)
    records: list[EvidenceRecord] = field(default_factory=list)


class IdentityRepository:
    """The identity store under one policy."""

    def __init__(self, store: Store, policy: MergePolicy, channel: str = "main") -> None:
        """Use an open store.

        Args:
            store: Where identity is.
            policy: The settings of the merge rules.
            channel: Name of the channel whose input is taken in; rejects are kept by it.
        """
        self._store = store
        self._policy = policy
        self._channel = channel

    def ingest(self, records: Sequence[EvidenceRecord]) -> IdentityChanges:
        """Add a batch of evidence, durably, and record the joins that come of it.

        Raises:
            StoreError: The store cannot be written; nothing of the batch is in it then.
        """
        with self._store.write(lock="identity") as connection:
            batch = BatchWriter(connection, self._channel)
            changes = self._ingest(connection, records, batch)
            batch.flush()
        return changes

    def preview(self, records: Sequence[EvidenceRecord]) -> list[Merge]:
        """The joins that would come of a batch of evidence; nothing is changed."""
        with self._store.read() as connection:
            batch = BatchWriter(connection, self._channel)
            self._ingest(connection, records, batch)
        return batch.joins

    def unmerge(self, merge_id: int) -> IdentityChanges:
        """Undo a merge or a move, for good: what was joined is cut, whatever comes later.

        Args:
            merge_id: Number of its row in the audit.

        Raises:
            UnmergeError: There is no such merge, or it is undone already.
        """
        merges = tables.merges
        with self._store.write(lock="identity") as connection:
            row = connection.execute(select(merges).where(merges.c.merge_id == merge_id)).one_or_none()
            if row is None or row.rule == MergeRule.UNMERGED:
                raise UnmergeError(f"there is no merge {merge_id}; see `target-line-admin merges`")
            if row.undone_at is not None:
                raise UnmergeError(f"merge {merge_id} is undone already")
            survivor, identifier = Identifier.parse(row.survivor), Identifier.parse(row.identifier)
            batch = BatchWriter(connection, self._channel)
            changes = self._ingest(connection, [SeparationConstraint.between(survivor, identifier)], batch)
            undone = Merge(MergeRule.UNMERGED, survivor, Identifier.parse(row.absorbed), identifier, UNDATED)
            batch.save_join(undone, _by_identifier(self._resolved(connection, {survivor, identifier})))
            connection.execute(
                update(merges).where(merges.c.merge_id == merge_id).values(undone_at=datetime.now(UTC)),
            )
            batch.flush()
        return changes

    def evidence_of(self, identifier: Identifier) -> Evidence | None:
        """All that was said about an identifier and what hangs together with it; None if nothing was."""
        with self._store.read() as connection:
            documents = documents_of(connection, clusters_of(connection, {identifier}).values())
        return next(map(decode_evidence, documents.values()), None)

    def is_shared(self, identifier: Identifier) -> bool:
        """Whether too many people claim an identifier, so that it names nobody."""
        with self._store.read() as connection:
            return clusters_of(connection, {identifier}).get(identifier) == SHARED

    def _ingest(self, connection: Connection, records: Sequence[EvidenceRecord], batch: BatchWriter) -> IdentityChanges:
        changes = IdentityChanges()
        cluster_of = clusters_of(connection, {name for record in records for name in identifiers_in(record)})
        shared = {name for name, cluster in cluster_of.items() if cluster == SHARED}
        if shared:
            cluster_of = {name: cluster for name, cluster in cluster_of.items() if name not in shared}
            records = list(_usable(records, shared, batch))
        documents = documents_of(connection, set(cluster_of.values()))
        for group in _groups(records, cluster_of):
            texts = [documents[cluster] for cluster in sorted(group.clusters)]
            changes.add(self._ingest_group(group, texts, batch))
        return changes

    def _resolved(self, connection: Connection, identifiers: set[Identifier]) -> list[Profile]:
        documents = documents_of(connection, set(clusters_of(connection, identifiers).values()))
        return [profile for text in documents.values() for profile in self._resolve(decode_evidence(text)).profiles]

    def _ingest_group(self, group: _Group, texts: list[str], batch: BatchWriter) -> IdentityChanges:
        first = group.records[0]
        if len(group.records) == 1 and not isinstance(first, SeparationConstraint):
            alone = encode_record(first)
            if texts == [alone]:
                return IdentityChanges()  # the one record that the cluster was made of, again
            if not texts:
                batch.save(set(), alone, new=group.identifiers)
                is_anonymous = all(name.kind is IdentifierKind.LINE_ID for name in identifiers_in(first))
                return IdentityChanges(anonymous=1) if is_anonymous else IdentityChanges(identified=1)
        before = [decode_evidence(text) for text in texts]
        if len(before) == 1 and all(map(before[0].covers, group.records)):
            return IdentityChanges()
        after = Evidence()
        for evidence in before:
            after.merge(evidence)
        for record in group.records:
            after.add(record)
        known = [evidence.identifiers() for evidence in before]
        if shared := shared_emails(after, self._policy.max_people_per_email):
            return self._part(group, before, after, shared, batch)
        batch.save(
            group.clusters,
            encode_evidence(after),
            new=after.identifiers().difference(*known),
            handed_over=set().union(*known[1:]),
        )
        return self._changes(before, [after], batch)

    def _part(
        self, group: _Group, before: list[Evidence], after: Evidence, shared: set[Identifier], batch: BatchWriter
    ) -> IdentityChanges:
        """Take emails out of a group's evidence, for good, and keep what hangs together without them."""
        known = {name for evidence in before for name in evidence.identifiers()}
        for email in sorted(shared):
            batch.share(email, is_known=email in known)
        for claim in after.claims.values():
            if without_emails(claim, shared) is None:
                batch.save_shared(claim)
        parts = split_without_emails(after, shared)
        for number, part in enumerate(parts):
            names = part.identifiers()
            batch.save(
                set() if number else group.clusters, encode_evidence(part), new=names - known, handed_over=names & known
            )
        changes = self._changes(before, parts, batch)
        changes.doubts[RejectionReason.SHARED_EMAIL] += len(shared)
        return changes

    def find_profiles(self, identifiers: Iterable[Identifier]) -> dict[Identifier, Profile]:
        """The profiles that identifiers name; an identifier that nothing is known of is left out."""
        with self._store.read() as connection:
            cluster_of = clusters_of(connection, set(identifiers))
            documents = documents_of(connection, set(cluster_of.values()))
        resolved = {cluster: resolve(decode_evidence(text), self._policy) for cluster, text in documents.items()}
        return {name: resolved[cluster].profile_of(name) for name, cluster in cluster_of.items() if cluster != SHARED}

    def profiles(self) -> Iterator[Profile]:
        """All profiles, cluster by cluster."""
        query = select(tables.clusters.c.evidence).order_by(tables.clusters.c.cluster_id)
        with self._store.read() as connection:
            for (text,) in connection.execution_options(yield_per=_PAGE).execute(query):
                yield from resolve(decode_evidence(text), self._policy).profiles

    def _changes(self, before: list[Evidence], after: list[Evidence], batch: BatchWriter) -> IdentityChanges:
        former = [self._resolve(evidence) for evidence in before]
        latter = [self._resolve(evidence) for evidence in after]
        former_profiles = [profile for resolution in former for profile in resolution.profiles]
        latter_profiles = [profile for resolution in latter for profile in resolution.profiles]
        known = {join for resolution in former for join in resolution.merges}
        new = sorted(
            {join for resolution in latter for join in resolution.merges} - known,
            key=lambda join: (join.evidence_at, join.rule, join.identifier),
        )
        profile_of = _by_identifier(former_profiles) if new else {}
        for join in new:
            batch.save_join(join, profile_of)
        refused = {refusal for resolution in latter for refusal in resolution.rejected_identifiers}
        refused = refused.difference(*(resolution.rejected_identifiers for resolution in former))
        for refusal in sorted(refused, key=lambda refusal: (refusal.identifier, refusal.claimed_by)):
            batch.save_refusal(refusal)
        anonymous = _count_anonymous(latter_profiles) - _count_anonymous(former_profiles)
        return IdentityChanges(
            anonymous,
            len(latter_profiles) - len(former_profiles) - anonymous,
            Counter(join.rule for join in new),
            Counter(refusal.reason for refusal in refused),
        )

    def _resolve(self, evidence: Evidence) -> Resolution:
        return resolve(evidence, self._policy)


def _usable(records: Iterable[EvidenceRecord], shared: set[Identifier], batch: BatchWriter) -> Iterator[EvidenceRecord]:
    """Records without emails that name nobody; a claim of nothing else is refused."""
    for record in records:
        if left := without_emails(record, shared):
            yield left
        elif isinstance(record, Claim):
            batch.save_shared(record)


def _by_identifier(profiles: Iterable[Profile]) -> dict[Identifier, Profile]:
    return {name: profile for profile in profiles for name in profile.identifiers}


def _count_anonymous(profiles: Iterable[Profile]) -> int:
    return sum(profile.id is None and profile.email is None for profile in profiles)


def _groups(records: Iterable[EvidenceRecord], cluster_of: dict[Identifier, int]) -> Iterator[_Group]:
    """Part a batch into what hangs together, by itself or through clusters in the store."""
    group_of: dict[Identifier | int, _Group] = {}
    for record in records:
        names = identifiers_in(record)
        clusters = {cluster_of[name] for name in names if name in cluster_of}
        anchors: tuple[Identifier | int, ...] = (*names, *clusters)
        groups = {id(group): group for anchor in anchors if (group := group_of.get(anchor))}.values()
        kept = max(groups, key=lambda group: len(group.identifiers)) if groups else _Group()
        for group in groups:
            if group is not kept:
                kept.identifiers |= group.identifiers
                kept.clusters |= group.clusters
                kept.records += group.records
                group_of.update(dict.fromkeys((*group.identifiers, *group.clusters), kept))
        kept.identifiers.update(names)
        kept.clusters |= clusters
        kept.records.append(record)
        for anchor in anchors:
            group_of[anchor] = kept
    yield from {id(group): group for group in group_of.values()}.values()
