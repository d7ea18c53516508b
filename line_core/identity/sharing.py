"""Shared identifiers: identifiers that are claimed together with too many others (merge rule 7).

An address such as `info@…`, the LINE ID of a shop's tablet, or the id of a guest checkout would merge many unrelated
people into one cluster, and each of their records would rewrite that cluster. So an identifier that is claimed together
with more identifiers than its bound links nothing. Claims keep it, so that the numbers of the other identifiers, and
with them the set of shared identifiers, depend on the set of records and not on their order.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from line_core.identity.model import Evidence, Identifier, identifiers_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from line_core.identity.model import EvidenceRecord
    from line_core.identity.policy import MergePolicy

# A claim holds at most one identifier of each kind.
_OTHERS_PER_CLAIM = 2


def newly_shared(evidence: Evidence, policy: MergePolicy) -> set[Identifier]:
    """Return the identifiers that are claimed with too many others, and are not among the shared ones yet.

    The evidence must contain all claims of the identifiers that are not shared.
    """
    smallest = min(policy.max_people_per_email, policy.max_people_per_line_id, policy.max_identifiers_per_id)
    if len(evidence.claims) * _OTHERS_PER_CLAIM <= smallest:
        return set()
    claimed_with: defaultdict[Identifier, set[Identifier]] = defaultdict(set)
    for identifiers in evidence.claims:
        for identifier in identifiers:
            claimed_with[identifier].update(identifiers)
    return {
        identifier
        for identifier, names in claimed_with.items()
        if len(names) - 1 > policy.bound(identifier.kind) and identifier not in evidence.shared
    }


def linking_identifiers(record: EvidenceRecord, shared: Collection[Identifier]) -> tuple[Identifier, ...]:
    """Return the identifiers of a record that are not shared."""
    names = identifiers_in(record)
    return tuple(name for name in names if name not in shared) if shared else names


def split_evidence(evidence: Evidence) -> list[Evidence]:
    """Return the connected components of evidence whose set of shared identifiers has grown.

    Records that name only shared identifiers are left out.
    """
    parent: dict[Identifier, Identifier] = {}

    def root(identifier: Identifier) -> Identifier:
        while (above := parent.setdefault(identifier, identifier)) != identifier:
            parent[identifier] = identifier = parent[above]
        return identifier

    records = [
        (record, names) for record in evidence.records() if (names := linking_identifiers(record, evidence.shared))
    ]
    for _, (first, *others) in records:
        for identifier in others:
            parent[root(identifier)] = root(first)
    components: defaultdict[Identifier, Evidence] = defaultdict(Evidence)
    for record, names in records:
        component = components[root(names[0])]
        component.add(record)
        component.shared |= evidence.shared.intersection(identifiers_in(record))
    return list(components.values())
