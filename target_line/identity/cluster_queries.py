"""Queries of identifiers and of the clusters that contain their evidence."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from line_core.identity.model import Identifier, IdentifierKind
from line_core.store.dialects import in_values
from line_core.store.tables import identity as tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

SHARED = 0
"""Cluster number of an identifier that too many people claim: it identifies nobody."""
_CLUSTERS = "clusters"
"""Counter of cluster numbers, in `identity_counters`."""


def clusters_of(connection: Connection, identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
    """Return the clusters of identifiers, or `SHARED`. Identifiers that the store does not contain are left out."""
    by_issuer: dict[tuple[IdentifierKind, str], list[str]] = defaultdict(list)
    for kind, provider, value in identifiers:
        by_issuer[kind, provider].append(value)
    table = tables.identifiers.c
    found: dict[Identifier, int] = {}
    for (kind, provider), values in by_issuer.items():
        query = select(table.value, table.cluster_id).where(
            table.kind == kind,
            table.provider == provider,
            in_values(connection, table.value, sorted(values)),  # in the order of the index
        )
        found.update((Identifier(kind, provider, value), cluster) for value, cluster in connection.execute(query))
    return found


def encoded_evidence_of(connection: Connection, clusters: Iterable[int]) -> dict[int, str]:
    """Return the encoded evidence of clusters; see `line_core.identity.codec`."""
    table = tables.clusters.c
    query = select(table.cluster_id, table.evidence).where(in_values(connection, table.cluster_id, sorted(clusters)))
    return {row.cluster_id: row.evidence for row in connection.execute(query)}


def shared_identifiers(connection: Connection) -> set[Identifier]:
    """Return the identifiers that identify nobody."""
    table = tables.identifiers.c
    query = select(table.kind, table.provider, table.value).where(table.cluster_id == SHARED)
    return {Identifier(IdentifierKind(kind), provider, value) for kind, provider, value in connection.execute(query)}


def last_cluster(connection: Connection) -> int:
    """Return the highest number that a cluster ever had. No number is used again, also not after an erasure."""
    counter = select(tables.counters.c.value).where(tables.counters.c.counter == _CLUSTERS)
    number: int = connection.execute(counter).scalar_one()
    return number


def save_last_cluster(connection: Connection, number: int) -> None:
    """Save the highest number that a cluster has."""
    connection.execute(update(tables.counters).where(tables.counters.c.counter == _CLUSTERS).values(value=number))
