"""Identity in the store: take in a batch of evidence, find the profiles that identifiers name.

A batch costs statements by the thousand rows, never one a record.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from line_core.identity.codec import from_text, text_of, to_text
from line_core.identity.model import Claim, Evidence, Identifier, Join, Kind, Rule
from line_core.identity.rules import Resolution, resolve
from line_core.store.dialects import among, insert_many
from line_core.store.tables import identity as tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import Follow, Profile
    from line_core.identity.rules import Policy
    from line_core.store import Store

_PAGE = 1000


@dataclass
class Changes:
    """What a batch, or a run of batches, did to the profiles."""

    profiles_added: int = 0
    """Net: a merge of two profiles is one less."""
    joins: Counter[Rule] = field(default_factory=Counter)

    def add(self, other: Changes) -> None:
        """Add another batch's changes."""
        self.profiles_added += other.profiles_added
        self.joins.update(other.joins)


@dataclass(eq=False)
class _Group:
    """Evidence of one batch that hangs together, with the clusters that it touches."""

    identifiers: set[Identifier] = field(default_factory=set)
    clusters: set[int] = field(default_factory=set)
    records: list[Claim | Follow] = field(default_factory=list)


class IdentityRepository:
    """The identity store under one policy."""

    def __init__(self, store: Store, policy: Policy) -> None:
        """Use an open store; `policy` holds the settings of the merge rules."""
        self._store = store
        self._policy = policy

    def take_in(self, records: Sequence[Claim | Follow]) -> Changes:
        """Add a batch of evidence, durably, and record the joins that come of it.

        Raises:
            StoreError: The store cannot be written; nothing of the batch is in it then.
        """
        changes = Changes()
        with self._store.write(alone="identity") as connection:
            cluster_of = _clusters_of(connection, {name for record in records for name in _names(record)})
            documents = _documents(connection, set(cluster_of.values()))
            batch = _BatchWriter(connection)
            for group in _groups(records, cluster_of):
                texts = [documents[cluster] for cluster in sorted(group.clusters)]
                changes.add(self._take_in_group(group, texts, batch))
            batch.flush()
        return changes

    def _take_in_group(self, group: _Group, texts: list[str], batch: _BatchWriter) -> Changes:
        if len(group.records) == 1:
            alone = text_of(group.records[0])
            if texts == [alone]:
                return Changes()  # the one record that the cluster was made of, again
            if not texts:
                batch.save(set(), alone, new=group.identifiers)
                return Changes(profiles_added=1)
        before = [from_text(text) for text in texts]
        if len(before) == 1 and all(map(before[0].knows, group.records)):
            return Changes()
        after = Evidence()
        for evidence in before:
            after.merge(evidence)
        for record in group.records:
            after.add(record)
        known = [evidence.identifiers() for evidence in before]
        batch.save(
            group.clusters,
            to_text(after),
            new=after.identifiers().difference(*known),
            handed_over=set().union(*known[1:]),
        )
        return self._changes(before, after, batch)

    def resolutions(self, identifiers: Iterable[Identifier]) -> dict[Identifier, Profile]:
        """The profiles that identifiers name; an identifier that nothing is known of is left out."""
        with self._store.read() as connection:
            cluster_of = _clusters_of(connection, set(identifiers))
            documents = _documents(connection, set(cluster_of.values()))
        resolved = {cluster: resolve(from_text(text), self._policy) for cluster, text in documents.items()}
        return {name: resolved[cluster].profile_of(name) for name, cluster in cluster_of.items()}

    def profiles(self) -> Iterator[Profile]:
        """All profiles, cluster by cluster."""
        query = select(tables.clusters.c.evidence).order_by(tables.clusters.c.cluster_id)
        with self._store.read() as connection:
            for (text,) in connection.execution_options(yield_per=_PAGE).execute(query):
                yield from resolve(from_text(text), self._policy).profiles

    def _changes(self, before: list[Evidence], after: Evidence, batch: _BatchWriter) -> Changes:
        resolutions = [self._resolve(evidence) for evidence in before]
        result = self._resolve(after)
        known = {join for resolution in resolutions for join in resolution.joins}
        new = sorted(result.joins - known, key=lambda join: (join.evidence_at, join.rule, join.identifier))
        for join in new:
            batch.save_join(join, [profile for resolution in resolutions for profile in resolution.profiles])
        added = len(result.profiles) - sum(len(resolution.profiles) for resolution in resolutions)
        return Changes(added, Counter(join.rule for join in new))

    def _resolve(self, evidence: Evidence) -> Resolution:
        return resolve(evidence, self._policy)


class _BatchWriter:
    """Collects the rows of a batch and writes them table by table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._now = datetime.now(UTC)
        self._next_cluster = (
            1 + connection.execute(select(func.coalesce(func.max(tables.clusters.c.cluster_id), 0))).scalar_one()
        )
        self._new_clusters: list[dict[str, Any]] = []
        self._changed_clusters: list[dict[str, Any]] = []
        self._absorbed_clusters: list[dict[str, Any]] = []
        self._handed_over: list[dict[str, Any]] = []
        self._new_identifiers: list[dict[str, Any]] = []
        self._joins: list[dict[str, Any]] = []

    def save(
        self,
        clusters: set[int],
        evidence: str,
        *,
        new: set[Identifier],
        handed_over: Collection[Identifier] = (),
    ) -> None:
        """Keep a group's evidence in the oldest of its clusters, or in a new one.

        Args:
            clusters: All clusters that the group touches; empty for a new one.
            evidence: As text.
            new: Identifiers that the store has not had.
            handed_over: Identifiers of the clusters that are not kept.
        """
        if clusters:
            kept, *absorbed = sorted(clusters)
            self._changed_clusters.append({"kept": kept, "evidence": evidence, "updated_at": self._now})
            self._absorbed_clusters += ({"absorbed": cluster} for cluster in absorbed)
        else:
            kept = self._next_cluster
            self._next_cluster += 1
            self._new_clusters.append({"cluster_id": kept, "evidence": evidence, "updated_at": self._now})
        self._handed_over += (
            {"of_kind": kind, "of_provider": provider, "of_value": value, "kept": kept}
            for kind, provider, value in handed_over
        )
        self._new_identifiers += (
            {"kind": kind, "provider": provider, "value": value, "cluster_id": kept} for kind, provider, value in new
        )

    def save_join(self, join: Join, before: list[Profile]) -> None:
        """Keep the audit of a join with the profiles as they were."""
        images = [
            profile for profile in before if {join.survivor, join.absorbed, join.identifier} & profile.identifiers
        ]
        self._joins.append(
            {
                "merged_at": self._now,
                "rule": join.rule,
                "survivor": str(join.survivor),
                "absorbed": str(join.absorbed),
                "identifier": str(join.identifier),
                "evidence_at": datetime.fromtimestamp(join.evidence_at / 1000, UTC) if join.evidence_at else None,
                "before": [
                    {"identifiers": sorted(map(str, image.identifiers)), "attributes": image.attributes}
                    for image in images
                ],
            },
        )

    def flush(self) -> None:
        """Write all rows."""
        clusters, identifiers = tables.clusters, tables.identifiers
        hand_over = update(identifiers).where(
            identifiers.c.kind == bindparam("of_kind"),
            identifiers.c.provider == bindparam("of_provider"),
            identifiers.c.value == bindparam("of_value"),
        )
        for statement, rows in (
            (update(clusters).where(clusters.c.cluster_id == bindparam("kept")), self._changed_clusters),
            (hand_over.values(cluster_id=bindparam("kept")), self._handed_over),
            (delete(clusters).where(clusters.c.cluster_id == bindparam("absorbed")), self._absorbed_clusters),
            (insert(tables.merges), self._joins),
        ):
            if rows:
                self._connection.execute(statement, rows)
        for table, rows in ((clusters, self._new_clusters), (identifiers, self._new_identifiers)):
            if rows:
                insert_many(self._connection, table, rows)


def _names(record: Claim | Follow) -> tuple[Identifier, ...]:
    return record.identifiers if isinstance(record, Claim) else (record.line_id,)


def _groups(records: Iterable[Claim | Follow], cluster_of: dict[Identifier, int]) -> Iterator[_Group]:
    """Part a batch into what hangs together, by itself or through clusters in the store."""
    group_of: dict[Identifier | int, _Group] = {}
    for record in records:
        names = _names(record)
        anchors: list[Identifier | int] = [*names, *(cluster_of[name] for name in names if name in cluster_of)]
        groups = {id(group): group for anchor in anchors if (group := group_of.get(anchor))}.values()
        kept = max(groups, key=lambda group: len(group.identifiers), default=_Group())
        for group in groups:
            if group is not kept:
                kept.identifiers |= group.identifiers
                kept.clusters |= group.clusters
                kept.records += group.records
                group_of.update(dict.fromkeys((*group.identifiers, *group.clusters), kept))
        kept.identifiers.update(names)
        kept.clusters.update(anchor for anchor in anchors if isinstance(anchor, int))
        kept.records.append(record)
        group_of.update(dict.fromkeys(anchors, kept))
    yield from {id(group): group for group in group_of.values()}.values()


def _clusters_of(connection: Connection, identifiers: set[Identifier]) -> dict[Identifier, int]:
    by_issuer: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for kind, provider, value in sorted(identifiers):
        by_issuer[kind, provider].append(value)
    table = tables.identifiers.c
    found: dict[Identifier, int] = {}
    for (kind, provider), values in by_issuer.items():
        query = select(table.value, table.cluster_id).where(
            table.kind == kind,
            table.provider == provider,
            among(connection, table.value, values),
        )
        found.update((Identifier(kind, provider, value), cluster) for value, cluster in connection.execute(query))
    return found


def _documents(connection: Connection, clusters: set[int]) -> dict[int, str]:
    table = tables.clusters.c
    query = select(table.cluster_id, table.evidence).where(among(connection, table.cluster_id, sorted(clusters)))
    return dict(connection.execute(query).tuples().all())
