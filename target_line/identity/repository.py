"""The identity store: ingest batches of evidence, find profiles.

Each method executes a constant number of SQL statements per thousand rows, never one per record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence
from line_core.identity.model import Claim, Follow
from line_core.identity.rules import resolve
from line_core.identity.sharing import newly_shared
from line_core.store.tables import identity as tables
from target_line.identity.batch_writer import BatchWriter
from target_line.identity.changes import IdentityChanges
from target_line.identity.cluster_queries import SHARED, clusters_of, encoded_evidence_of
from target_line.identity.erased import without_person
from target_line.identity.ingestion import BatchIngestion, profiles_by_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import Evidence, EvidenceRecord, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Merge, Profile
    from line_core.store import Store
    from target_line.identity.erased import ErasedIdentifiers

_PAGE_SIZE = 1000
"""Clusters fetched together."""


class UnknownPersonError(LineError):
    """No profile in the store has the given identifier."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """What the store knows about identifiers that messages are sent to."""

    profiles: dict[Identifier, Profile]
    """By identifier. A LINE ID that only rejected records name has a profile too, with their opt-outs."""
    shared: frozenset[Identifier]
    """Identifiers that identify nobody."""


class IdentityRepository:
    """The identity store, resolved with one merge policy."""

    def __init__(
        self, store: Store, policy: MergePolicy, channel: str = "main", erased: ErasedIdentifiers | None = None
    ) -> None:
        """Create a repository on an open store.

        Args:
            store: The open store.
            policy: The settings of the merge rules.
            channel: Name of the channel whose follow states count, and under which rejects are saved.
            erased: Identifiers of erased persons, which are not stored again.
        """
        self._store = store
        self._policy = policy
        self._channel = channel
        self._erased = erased

    def ingest(self, records: Sequence[EvidenceRecord]) -> IdentityChanges:
        """Store a batch of evidence and the merges that it causes, in one transaction.

        Raises:
            StoreError: The store cannot be written; then nothing of the batch is stored.
        """
        with self._store.write(lock="identity") as connection:
            kept = self._without_erased(connection, records)
            writer = BatchWriter(connection, self._channel)
            changes = BatchIngestion(connection, self._policy, writer, self._channel).add(kept)
            changes.forgotten = _input_records(records) - _input_records(kept)
            writer.flush()
        return changes

    def apply_bounds(self) -> IdentityChanges:
        """Find the shared identifiers of all clusters, after a bound was lowered. After a crash, it can be repeated.

        Raises:
            StoreError: The store cannot be written.
        """
        changes = IdentityChanges()
        clusters, last_cluster = tables.clusters.c, -1
        while True:
            with self._store.write(lock="identity") as connection:
                query = select(clusters.cluster_id, clusters.evidence).where(clusters.cluster_id > last_cluster)
                rows = connection.execute(query.order_by(clusters.cluster_id).limit(_PAGE_SIZE)).all()
                writer = BatchWriter(connection, self._channel)
                ingestion = BatchIngestion(connection, self._policy, writer, self._channel)
                for cluster, text in rows:
                    evidence = decode_evidence(text)
                    if new := newly_shared(evidence, self._policy):
                        changes.add(ingestion.split({cluster}, [decode_evidence(text)], evidence, new))
                writer.flush()
            if len(rows) < _PAGE_SIZE:
                return changes
            last_cluster = rows[-1].cluster_id

    def preview(self, records: Sequence[EvidenceRecord]) -> list[Merge]:
        """Return the merges that a batch of evidence would cause. The store is not changed."""
        with self._store.read() as connection:
            writer = BatchWriter(connection, self._channel)
            BatchIngestion(connection, self._policy, writer, self._channel).add(records)
        return writer.merges

    def evidence_of(self, identifier: Identifier) -> Evidence | None:
        """Return the evidence of the cluster that contains an identifier, None if no cluster does."""
        with self._store.read() as connection:
            encoded = encoded_evidence_of(connection, clusters_of(connection, {identifier}).values())
        return next(map(decode_evidence, encoded.values()), None)

    def is_shared(self, identifier: Identifier) -> bool:
        """Return whether too many people claim an identifier, so that it identifies nobody."""
        with self._store.read() as connection:
            return clusters_of(connection, {identifier}).get(identifier) == SHARED

    def find_profiles(self, identifiers: Iterable[Identifier]) -> dict[Identifier, Profile]:
        """Return the profiles that have the identifiers. Identifiers without a profile are left out."""
        return self.find_recipients(identifiers).profiles

    def find_recipients(self, identifiers: Iterable[Identifier]) -> Recipients:
        """Return what the store knows about identifiers that messages are sent to."""
        with self._store.read() as connection:
            cluster_of = clusters_of(connection, set(identifiers))
            encoded = encoded_evidence_of(connection, set(cluster_of.values()))
        profile_of: dict[Identifier, Profile] = {}
        for text in encoded.values():
            resolution = resolve(decode_evidence(text), self._policy, self._channel)
            profile_of |= profiles_by_identifier((*resolution.profiles, *resolution.opted_out))
        return Recipients(
            {name: profile_of[name] for name in cluster_of if name in profile_of},
            frozenset(name for name, cluster in cluster_of.items() if cluster == SHARED),
        )

    def profiles(self) -> Iterator[Profile]:
        """Yield all profiles."""
        query = select(tables.clusters.c.evidence).order_by(tables.clusters.c.cluster_id)
        with self._store.read() as connection:
            for (text,) in connection.execution_options(yield_per=_PAGE_SIZE).execute(query):
                yield from resolve(decode_evidence(text), self._policy, self._channel).profiles

    def _without_erased(self, connection: Connection, records: Sequence[EvidenceRecord]) -> Sequence[EvidenceRecord]:
        """Return the records without persons who were erased since the records were parsed."""
        erased = self._erased
        if erased is None or not erased.refresh(connection) or not erased:
            return records
        remaining = (without_person(record, erased, self._policy) for record in records)
        return [record for record in remaining if record]


def _input_records(evidence: Iterable[EvidenceRecord]) -> int:
    """Return the number of accepted records that the evidence is from; each has one claim or one follow."""
    return sum(isinstance(record, Claim | Follow) for record in evidence)
