"""Opt-outs: which identifiers are named by a record that opts out, in the present or the past (merge rule 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from line_core.consent import consent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from line_core.identity.links import NamedClaim
    from line_core.identity.model import Claim, DatedValue, Evidence, Identifier, RefusedOptOut
    from line_core.identity.policy import MergePolicy

OptOuts = dict[str, "DatedValue"]
"""The newest opt-out that is in force, by attribute."""


class _Statement(NamedTuple):
    """What the newest record of some identifiers says about one attribute: yes or no."""

    names: Sequence[Identifier]
    """The strongest first: it is the source."""
    attribute: str
    value: DatedValue


def opt_outs_of(evidence: Evidence, claims: Sequence[NamedClaim], policy: MergePolicy) -> dict[Identifier, OptOuts]:
    """Return the opt-outs that are in force for each identifier.

    A yes is in force unless another record with the same strongest identifier says no later. It applies to the
    identifiers of its record, and to every identifier that any claim names together with one of them.
    """
    statements = _statements(evidence, claims, policy)
    refused_at: dict[tuple[Identifier, str], int] = {}
    for names, attribute, value in statements:
        if not consent_of(value.value):
            source = names[0], attribute
            refused_at[source] = max(value.at, refused_at.get(source, value.at))
    named: dict[Identifier, OptOuts] = {}
    for names, attribute, value in statements:
        if consent_of(value.value) and value.at >= refused_at.get((names[0], attribute), value.at):
            for name in names:
                _merge(named.setdefault(name, {}), {attribute: value})
    together: dict[Identifier, OptOuts] = {name: dict(opt_outs) for name, opt_outs in named.items()}
    for names, _ in claims if named else ():
        for opted_out in named.keys() & set(names):
            for name in names:
                _merge(together.setdefault(name, {}), named[opted_out])
    return together


def in_force(members: Iterable[Identifier], opt_outs: Mapping[Identifier, OptOuts]) -> OptOuts:
    """Return the opt-outs of a person who has the identifiers."""
    found: OptOuts = {}
    for member in members if opt_outs else ():
        _merge(found, opt_outs.get(member, {}))
    return found


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
