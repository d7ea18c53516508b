"""Grouping of a batch of evidence into connected components. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.identity.sharing import linking_identifiers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from line_core.identity.model import EvidenceRecord, Identifier


@dataclass(eq=False, slots=True)
class EvidenceGroup:
    """Records of a batch that share identifiers or clusters of the store."""

    identifiers: set[Identifier]
    clusters: set[int]
    """The clusters that contain any of the identifiers."""
    records: list[EvidenceRecord]

    def absorb(self, other: EvidenceGroup) -> None:
        """Add the contents of another group."""
        self.identifiers |= other.identifiers
        self.clusters |= other.clusters
        self.records += other.records


def group_connected(
    records: Iterable[EvidenceRecord], cluster_of: Mapping[Identifier, int], shared: Collection[Identifier]
) -> Iterable[EvidenceGroup]:
    """Group records that are connected by common identifiers or clusters.

    Args:
        records: The records of a batch. Each names an identifier that is not shared.
        cluster_of: The clusters of the identifiers that the store contains.
        shared: Identifiers that identify nobody.
    """
    group_of: dict[Identifier | int, EvidenceGroup] = {}
    for record in records:
        names = linking_identifiers(record, shared)
        clusters = {cluster_of[name] for name in names if name in cluster_of}
        nodes: tuple[Identifier | int, ...] = (*names, *clusters)
        connected = [group_of[node] for node in nodes if node in group_of]
        if not connected:
            group_of.update(dict.fromkeys(nodes, EvidenceGroup(set(names), clusters, [record])))
            continue
        # The largest group absorbs the others, so that each identifier is reassigned rarely.
        kept = max(connected, key=lambda group: len(group.identifiers))
        for group in dict.fromkeys(connected):
            if group is not kept:
                kept.absorb(group)
                group_of.update(dict.fromkeys((*group.identifiers, *group.clusters), kept))
        kept.identifiers.update(names)
        kept.clusters |= clusters
        kept.records.append(record)
        group_of.update(dict.fromkeys(nodes, kept))
    return dict.fromkeys(group_of.values())
