"""Queries of identifiers and of the clusters that contain their evidence."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.store.dialects import in_values
from line_core.store.tables import identity as tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

SHARED = 0
"""Cluster number of an identifier that too many people claim: it identifies nobody."""


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
