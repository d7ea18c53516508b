"""The rows of identity: found for a batch, and written for a batch, by the thousand."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from line_core.identity.model import UNDATED, Identifier, IdentifierKind, RejectionReason
from line_core.store.dialects import in_values, insert_many
from line_core.store.tables import identity as tables
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from line_core.identity.model import Claim, Merge, Profile, RejectedIdentifier

SHARED = 0
"""In place of a cluster: too many people share the identifier, and it names nobody."""
_STREAM = "profiles"
_REASONS = {
    RejectionReason.AMBIGUOUS_IDENTITY: Reason.AMBIGUOUS_IDENTITY,
    RejectionReason.TOO_MANY_LINE_IDS: Reason.TOO_MANY_LINE_IDS,
    RejectionReason.SHARED_EMAIL: Reason.SHARED_EMAIL,
}


class BatchWriter:
    """Collects the rows of a batch and writes them table by table."""

    def __init__(self, connection: Connection, channel: str) -> None:
        """Begin with nothing.

        Args:
            connection: A write transaction that holds identity alone.
            channel: Name of the channel whose input this is.
        """
        self._connection = connection
        self._channel = channel
        self._now = datetime.now(UTC)
        self._next_cluster = (
            1 + connection.execute(select(func.coalesce(func.max(tables.clusters.c.cluster_id), 0))).scalar_one()
        )
        self._new_clusters: list[dict[str, Any]] = []
        self._changed_clusters: list[dict[str, Any]] = []
        self._absorbed_clusters: list[dict[str, Any]] = []
        self._handed_over: list[dict[str, Any]] = []
        self._new_identifiers: list[dict[str, Any]] = []
        self.joins: list[Merge] = []
        """In the order in which they were saved."""
        self._join_rows: list[dict[str, Any]] = []
        self._refused: list[Reject] = []

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

    def save_join(self, join: Merge, before: Mapping[Identifier, Profile]) -> None:
        """Keep the audit of a join with the profiles as they were, given by their identifiers."""
        named = (before.get(name) for name in (join.survivor, join.absorbed, join.identifier))
        images = {profile.key: profile for profile in named if profile}
        self.joins.append(join)
        self._join_rows.append(
            {
                "merged_at": self._now,
                "rule": join.rule,
                "survivor": str(join.survivor),
                "absorbed": str(join.absorbed),
                "identifier": str(join.identifier),
                "evidence_at": datetime.fromtimestamp(join.evidence_at / 1000, UTC) if join.evidence_at else None,
                "before": [
                    {"identifiers": sorted(map(str, image.identifiers)), "attributes": image.attributes}
                    for _, image in sorted(images.items())
                ],
            },
        )

    def save_refusal(self, refusal: RejectedIdentifier) -> None:
        """Keep that a profile claims an identifier and does not get it."""
        kind, _, value = refusal.identifier
        record = {refusal.claimed_by.kind.value: refusal.claimed_by.value, kind.value: value}
        words = f"{refusal.claimed_by} claims {refusal.identifier} and does not get it"
        self._refused.append(Reject(_STREAM, record, _REASONS[refusal.reason], words))

    def share(self, email: Identifier, *, is_known: bool) -> None:
        """Keep that too many people share an email."""
        kind, provider, value = email
        if is_known:
            self._handed_over.append(
                {"of_kind": kind, "of_provider": provider, "of_value": value, "kept": SHARED},
            )
        else:
            self._new_identifiers.append({"kind": kind, "provider": provider, "value": value, "cluster_id": SHARED})
        words = "more people than max_people_per_email claim it; it names nobody from now on"
        self._refused.append(Reject(_STREAM, {kind.value: value}, Reason.SHARED_EMAIL, words))

    def save_shared(self, claim: Claim) -> None:
        """Keep what was said of nobody but a shared email."""
        record = {name.kind.value: name.value for name in claim.identifiers}
        record |= {name: said.value for name, said in claim.attributes.items()}
        if claim.last_at != UNDATED:
            record["updated_at"] = datetime.fromtimestamp(claim.last_at / 1000, UTC).isoformat()
        words = "more people than max_people_per_email claim the email, and it names nobody else"
        self._refused.append(Reject(_STREAM, record, Reason.SHARED_EMAIL, words))

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
            (insert(tables.merges), self._join_rows),
        ):
            if rows:
                self._connection.execute(statement, rows)
        for table, rows in ((clusters, self._new_clusters), (identifiers, self._new_identifiers)):
            if rows:
                insert_many(self._connection, table, rows)
        save_rejects(self._connection, self._channel, self._refused)


def clusters_of(connection: Connection, identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
    """The clusters that identifiers are in, or `SHARED`; those that nothing is known of are left out."""
    by_issuer: dict[tuple[IdentifierKind, str], list[str]] = defaultdict(list)
    for kind, provider, value in identifiers:
        by_issuer[kind, provider].append(value)
    table = tables.identifiers.c
    found: dict[Identifier, int] = {}
    for (kind, provider), values in by_issuer.items():
        query = select(table.value, table.cluster_id).where(
            table.kind == kind,
            table.provider == provider,
            in_values(connection, table.value, sorted(values)),  # the index has them in this order
        )
        found.update((Identifier(kind, provider, value), cluster) for value, cluster in connection.execute(query))
    return found


def documents_of(connection: Connection, clusters: Iterable[int]) -> dict[int, str]:
    """The evidence of clusters, as text."""
    table = tables.clusters.c
    query = select(table.cluster_id, table.evidence).where(in_values(connection, table.cluster_id, sorted(clusters)))
    return dict(connection.execute(query).all())
