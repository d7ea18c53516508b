"""Writes of identity rows: collected for a batch, then executed table by table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, update

from line_core.identity.model import UNDATED, Claim, Follow, identifiers_in
from line_core.identity.results import SHARED_REASONS
from line_core.store.dialects import insert_many
from line_core.store.tables import identity as tables
from target_line.identity.cluster_queries import SHARED, last_cluster, save_last_cluster
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from line_core.identity.model import EvidenceRecord, Identifier
    from line_core.identity.results import Merge, Profile, RejectedIdentifier

_STREAM = "profiles"


class BatchWriter:
    """Collects the rows of a batch. `flush` writes them."""

    def __init__(self, connection: Connection, channel: str) -> None:
        """Create a writer without rows.

        Args:
            connection: A write transaction that holds the lock `identity`; to collect only, any transaction.
            channel: Name of the channel whose input the batch is.
        """
        self._connection = connection
        self._channel = channel
        self._now = datetime.now(UTC)
        self._next_cluster = 1 + last_cluster(connection)
        self._new_clusters: list[dict[str, Any]] = []
        self._changed_clusters: list[dict[str, Any]] = []
        self._absorbed_clusters: list[dict[str, Any]] = []
        self._moved_identifiers: list[dict[str, Any]] = []
        self._new_identifiers: list[dict[str, Any]] = []
        self._deleted_identifiers: list[dict[str, Any]] = []
        self.merges: list[Merge] = []
        """The merges of the batch, in the order in which they were added."""
        self._merge_rows: list[dict[str, Any]] = []
        self._rejects: list[Reject] = []

    def add_cluster(
        self,
        clusters: set[int],
        evidence: str,
        *,
        new: set[Identifier],
        moved: Collection[Identifier] = (),
    ) -> None:
        """Store evidence in the oldest of its clusters, and delete the other clusters.

        Args:
            clusters: The clusters that the evidence was in; empty to create a new cluster.
            evidence: Encoded evidence.
            new: Identifiers of the evidence that the store does not contain.
            moved: Identifiers of the evidence that are in another cluster.
        """
        if clusters:
            kept, *absorbed = sorted(clusters)
            self._changed_clusters.append({"kept": kept, "evidence": evidence, "updated_at": self._now})
            self._absorbed_clusters += ({"absorbed": cluster} for cluster in absorbed)
        else:
            kept = self._next_cluster
            self._next_cluster += 1
            self._new_clusters.append({"cluster_id": kept, "evidence": evidence, "updated_at": self._now})
        self._move(moved, kept)
        self._new_identifiers += (
            {"kind": kind, "provider": provider, "value": value, "cluster_id": kept} for kind, provider, value in new
        )

    def add_merge(
        self, merge: Merge, before: Mapping[Identifier, Profile], correction: dict[str, Any] | None = None
    ) -> None:
        """Record a merge.

        Args:
            merge: The merge.
            before: The profiles before the merge, by identifier.
            correction: Of a correction, what it added to the evidence.
        """
        involved = (before.get(name) for name in (merge.survivor, merge.absorbed, merge.identifier))
        profiles = {profile.key: profile for profile in involved if profile}
        self.merges.append(merge)
        self._merge_rows.append(
            {
                "merged_at": self._now,
                "rule": merge.rule,
                "survivor": str(merge.survivor),
                "absorbed": str(merge.absorbed),
                "identifier": str(merge.identifier),
                "evidence_at": _time(merge.evidence_at),
                "before": [
                    {"identifiers": sorted(map(str, profile.identifiers)), "attributes": profile.attributes}
                    for _, profile in sorted(profiles.items())
                ],
                "correction": correction,
            },
        )

    def add_rejected_identifier(self, rejected: RejectedIdentifier) -> None:
        """Record that a profile claims an identifier and does not get it."""
        kind, _, value = rejected.identifier
        record = {rejected.claimed_by.kind.value: rejected.claimed_by.value, kind.value: value}
        detail = f"{rejected.claimed_by} claims {rejected.identifier} and does not get it"
        self._rejects.append(Reject(_STREAM, record, Reason.of(rejected.reason), detail))

    def add_shared(self, identifier: Identifier, *, is_known: bool) -> None:
        """Record that an identifier is shared.

        Args:
            identifier: The identifier.
            is_known: Whether the store contains it.
        """
        kind, provider, value = identifier
        if is_known:
            self._move([identifier], SHARED)
        else:
            self._new_identifiers.append({"kind": kind, "provider": provider, "value": value, "cluster_id": SHARED})
        reason = Reason.of(SHARED_REASONS[kind])
        self._rejects.append(Reject(_STREAM, {kind.value: value}, reason, f"{reason.description} This is permanent."))

    def reject_record_of_shared(self, record: EvidenceRecord) -> None:
        """Record a claim or follow that names only shared identifiers."""
        names = identifiers_in(record)
        rejected: dict[str, Any] = {name.kind.value: name.value for name in names}
        match record:
            case Claim():
                rejected |= {name: dated.value for name, dated in record.attributes.items()}
                at, column = record.last_at, "updated_at"
            case Follow():
                rejected |= {"follow_state": record.state.value, "channel": record.channel}
                at, column = record.at, "observed_at"
            case _:
                return
        if at != UNDATED:
            rejected[column] = datetime.fromtimestamp(at / 1000, UTC).isoformat()
        reason = Reason.of(SHARED_REASONS[names[0].kind])
        detail = f"{reason.description} The record has no other identifier."
        self._rejects.append(Reject(_STREAM, rejected, reason, detail))

    def delete_identifiers(self, identifiers: Iterable[Identifier]) -> None:
        """Delete identifiers that no evidence names any more."""
        self._deleted_identifiers += (
            {"of_kind": kind, "of_provider": provider, "of_value": value} for kind, provider, value in identifiers
        )

    def delete_clusters(self, clusters: Iterable[int]) -> None:
        """Delete clusters of which no evidence remains."""
        self._absorbed_clusters += ({"absorbed": cluster} for cluster in clusters)

    def flush(self) -> None:
        """Write all rows, in statements of many rows each."""
        clusters, identifiers = tables.clusters, tables.identifiers
        of_identifier = (
            identifiers.c.kind == bindparam("of_kind"),
            identifiers.c.provider == bindparam("of_provider"),
            identifiers.c.value == bindparam("of_value"),
        )
        move = update(identifiers).where(*of_identifier)
        for statement, rows in (
            (update(clusters).where(clusters.c.cluster_id == bindparam("kept")), self._changed_clusters),
            (move.values(cluster_id=bindparam("kept")), self._moved_identifiers),
            (delete(clusters).where(clusters.c.cluster_id == bindparam("absorbed")), self._absorbed_clusters),
            (delete(identifiers).where(*of_identifier), self._deleted_identifiers),
            (insert(tables.merges), self._merge_rows),
        ):
            if rows:
                self._connection.execute(statement, rows)
        for table, rows in ((clusters, self._new_clusters), (identifiers, self._new_identifiers)):
            if rows:
                insert_many(self._connection, table, rows)
        if self._new_clusters:
            save_last_cluster(self._connection, self._next_cluster - 1)
        save_rejects(self._connection, self._channel, self._rejects)

    def _move(self, identifiers: Iterable[Identifier], cluster: int) -> None:
        self._moved_identifiers += (
            {"of_kind": kind, "of_provider": provider, "of_value": value, "kept": cluster}
            for kind, provider, value in identifiers
        )


def _time(milliseconds: int) -> datetime | None:
    return None if milliseconds == UNDATED else datetime.fromtimestamp(milliseconds / 1000, UTC)
