"""Opt-outs: which identifiers a record that opts out concerns, in the present or the past (merge rule 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from line_core.consent import consent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from line_core.identity.links import NamedClaim
    from line_core.identity.model import Claim, DatedValue, Evidence, Identifier, RefusedOptOut
    from line_core.identity.policy import MergePolicy

OptOuts = dict[str, "DatedValue"]
"""The newest opt-out in force, by attribute."""


class _Statement(NamedTuple):
    """What the newest record of some identifiers says about one attribute: yes or no."""

    names: Sequence[Identifier]
    """The strongest first: it is the source."""
    attribute: str
    value: DatedValue


def opt_outs_of(evidence: Evidence, claims: Sequence[NamedClaim], policy: MergePolicy) -> dict[Identifier, OptOuts]:
    """Return the opt-outs that are in force for each identifier.

    A yes is in force unless a record with the same strongest identifier says no later. It applies to every identifier
    that records connect with the identifiers of its record: no later record can part a person from an opt-out.
    """
    statements = _statements(evidence, claims, policy)
    refused_at: dict[tuple[Identifier, str], int] = {}
    for names, attribute, value in statements:
        if not consent_of(value.value):
            source = names[0], attribute
            refused_at[source] = max(value.at, refused_at.get(source, value.at))
    in_force = [
        (names[0], {attribute: value})
        for names, attribute, value in statements
        if consent_of(value.value) and value.at >= refused_at.get((names[0], attribute), value.at)
    ]
    if not in_force:
        return {}
    named_together = [*(names for names, _ in claims), *(names for names, _, _ in statements)]
    root_of = _connected(named_together)
    by_root: dict[Identifier, OptOuts] = {}
    for name, opt_out in in_force:
        _merge(by_root.setdefault(root_of[name], {}), opt_out)
    return {name: by_root[root] for name, root in root_of.items() if root in by_root}


def _connected(groups: Iterable[Sequence[Identifier]]) -> dict[Identifier, Identifier]:
    """Return the same identifier for all that are connected by groups in which they are named together."""
    parent: dict[Identifier, Identifier] = {}

    def root(identifier: Identifier) -> Identifier:
        while (above := parent.setdefault(identifier, identifier)) != identifier:
            parent[identifier] = identifier = parent[above]
        return identifier

    for first, *others in groups:
        root_of_first = root(first)
        for name in others:
            parent[root(name)] = root_of_first
    return {name: root(name) for name in list(parent)}


def _statements(evidence: Evidence, claims: Iterable[NamedClaim], policy: MergePolicy) -> Sequence[_Statement]:
    """Return the newest statement of all records with the same identifiers, by identifiers and attribute."""
    spelling = {name.casefold(): name for name in policy.opt_outs}
    records: list[tuple[Sequence[Identifier], Claim | RefusedOptOut]] = [*claims]
    records += (
        (names, refused)
        for refused in evidence.refused_opt_outs.values()
        if (names := sorted((name for name in refused.identifiers if name not in evidence.shared), key=policy.rank))
    )
    newest: dict[tuple[tuple[Identifier, ...], str], _Statement] = {}
    for named, record in records:
        for name, value in record.attributes.items():
            attribute = spelling.get(name.casefold())
            if attribute is None or consent_of(value.value) is None:
                continue
            key = record.identifiers, attribute
            known = newest.get(key)
            newest[key] = _Statement(named, attribute, known.value.newer(value) if known else value)
    return list(newest.values())


def _merge(known: OptOuts, opt_outs: OptOuts) -> None:
    for attribute, value in opt_outs.items():
        known[attribute] = known[attribute].newer(value) if attribute in known else value
