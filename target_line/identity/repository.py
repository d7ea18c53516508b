"""The identity store: ingest batches of evidence, find profiles, undo merges.

Each method executes a constant number of SQL statements per thousand rows, never one per record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence
from line_core.identity.model import UNDATED, Claim, Correction, Evidence, Follow, Identifier
from line_core.identity.results import Merge, MergeRule
from line_core.identity.rules import resolve
from line_core.store.tables import identity as tables
from target_line.identity.batch_writer import BatchWriter
from target_line.identity.cluster_queries import SHARED, clusters_of, encoded_evidence_of
from target_line.identity.erased import without_person
from target_line.identity.ingestion import BatchIngestion, profiles_by_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import EvidenceRecord
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile
    from line_core.store import Store
    from target_line.identity.changes import IdentityChanges
    from target_line.identity.erased import ErasedIdentifiers

_PAGE_SIZE = 1000
"""Clusters fetched together."""


class UnknownPersonError(LineError):
    """No profile in the store has the given identifier."""


class UnmergeError(LineError):
    """The merge does not exist or is undone already."""


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

    def preview(self, records: Sequence[EvidenceRecord]) -> list[Merge]:
        """Return the merges that a batch of evidence would cause. The store is not changed."""
        with self._store.read() as connection:
            writer = BatchWriter(connection, self._channel)
            BatchIngestion(connection, self._policy, writer, self._channel).add(records)
        return writer.merges

    def unmerge(self, merge_id: int) -> IdentityChanges:
        """Undo a merge or a moved identifier permanently, by a separation constraint.

        Args:
            merge_id: Key of the row in table `merges`.

        Raises:
            UnmergeError: The merge does not exist or is undone already.
        """
        merges = tables.merges
        with self._store.write(lock="identity") as connection:
            row = connection.execute(select(merges).where(merges.c.merge_id == merge_id)).one_or_none()
            if row is None or row.rule == MergeRule.UNMERGED:
                raise UnmergeError(f"there is no merge {merge_id}; see `target-line-admin merges`")
            if row.undone_at is not None:
                raise UnmergeError(f"merge {merge_id} is undone already")
            survivor, identifier = Identifier.parse(row.survivor), Identifier.parse(row.identifier)
            before = profiles_by_identifier(self._stored_profiles(connection, {survivor, identifier}))
            writer = BatchWriter(connection, self._channel)
            ingestion = BatchIngestion(connection, self._policy, writer, self._channel)
            changes = ingestion.add([Correction.separate(survivor, identifier)])
            undone = Merge(MergeRule.UNMERGED, survivor, Identifier.parse(row.absorbed), identifier, UNDATED)
            writer.add_merge(undone, before)
            connection.execute(
                update(merges).where(merges.c.merge_id == merge_id).values(undone_at=datetime.now(UTC)),
            )
            writer.flush()
        return changes

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

    def _stored_profiles(self, connection: Connection, identifiers: set[Identifier]) -> Iterator[Profile]:
        encoded = encoded_evidence_of(connection, set(clusters_of(connection, identifiers).values()))
        for text in encoded.values():
            yield from resolve(decode_evidence(text), self._policy, self._channel).profiles


def _input_records(evidence: Iterable[EvidenceRecord]) -> int:
    """Return the number of accepted records that the evidence is from; each has one claim or one follow."""
    return sum(isinstance(record, Claim | Follow) for record in evidence)
