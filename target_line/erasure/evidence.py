"""Evidence and history of merges that name a person: find it, and erase it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import String, cast, delete, or_, select, update

from line_core import json_text
from line_core.identity.codec import decode_evidence, encode_evidence
from line_core.identity.links import named_claims
from line_core.identity.model import UNDATED, Claim, DatedValue, Evidence, Identifier, RefusedOptOut, identifiers_in
from line_core.identity.opt_outs import opt_outs_of
from line_core.identity.rules import resolve
from line_core.store.dialects import in_values
from line_core.store.tables import identity
from target_line.identity.cluster_queries import clusters_of, encoded_evidence_of
from target_line.identity.erased import without_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from line_core.identity.policy import MergePolicy


class OtherClaim(NamedTuple):
    """An identifier of the person that a record of another person names too."""

    claimed_by: Identifier
    """Strongest identifier of the record."""
    identifier: Identifier


def identifiers_of_person(
    connection: Connection, policy: MergePolicy, identifier: Identifier
) -> frozenset[Identifier] | None:
    """Return all identifiers of the profile that has an identifier, None if there is no such profile."""
    encoded = encoded_evidence_of(connection, set(clusters_of(connection, {identifier}).values()))
    for text in encoded.values():
        for profile in resolve(decode_evidence(text), policy).profiles:
            if identifier in profile.identifiers:
                return profile.identifiers
    return None


def claims_of_others(connection: Connection, policy: MergePolicy, person: frozenset[Identifier]) -> list[OtherClaim]:
    """Return what other persons' records claim of a person's identifiers."""
    found = set()
    for text in encoded_evidence_of(connection, set(clusters_of(connection, person).values())).values():
        for names in decode_evidence(text).claims:
            strongest = min(names, key=policy.rank)
            if strongest not in person:
                found |= {OtherClaim(strongest, name) for name in names if name in person}
    return sorted(found)


def merges_naming(connection: Connection, person: Iterable[Identifier]) -> list[int]:
    """Return the keys of the rows in the history of merges that name a person."""
    merges = identity.merges.c
    names = {str(name) for name in person}
    # The history has normalized identifiers only, so its text finds all rows that name one, and perhaps some more.
    quoted = sorted(json_text.encode(name) for name in names)
    columns = (merges.survivor, merges.absorbed, merges.identifier)
    documents = (merges.before, merges.correction)
    candidates = or_(
        *(column.in_(names) for column in columns),
        *(cast(column, String).contains(text, autoescape=True) for column in documents for text in quoted),
    )
    query = select(merges.merge_id, *columns, *documents).where(candidates).order_by(merges.merge_id)
    return [merge_id for merge_id, *values in connection.execute(query) if not names.isdisjoint(_texts(values))]


def erase_evidence(connection: Connection, policy: MergePolicy, person: frozenset[Identifier]) -> None:
    """Erase a person's records, and the person's identifiers from records of other persons.

    Args:
        connection: A write transaction that holds the lock `identity`.
        policy: Settings of the merge rules.
        person: The identifiers of the person.
    """
    clusters, identifiers = identity.clusters, identity.identifiers
    cluster_of = clusters_of(connection, person)
    gone = set(person)
    for cluster, text in encoded_evidence_of(connection, set(cluster_of.values())).items():
        evidence = decode_evidence(text)
        remaining = evidence_without_person(evidence, person, policy)
        gone |= evidence.identifiers() - remaining.identifiers()
        if remaining.identifiers():
            changed = {"evidence": encode_evidence(remaining), "updated_at": datetime.now(UTC)}
            connection.execute(update(clusters).where(clusters.c.cluster_id == cluster).values(changed))
        else:
            connection.execute(delete(clusters).where(clusters.c.cluster_id == cluster))
    columns = identifiers.c
    for kind, provider, value in sorted(gone):
        connection.execute(
            delete(identifiers).where(columns.kind == kind, columns.provider == provider, columns.value == value),
        )


def erase_merges(connection: Connection, merge_ids: Iterable[int]) -> None:
    """Delete rows of the history of merges."""
    merges = identity.merges
    connection.execute(delete(merges).where(in_values(connection, merges.c.merge_id, merge_ids)))


def evidence_without_person(evidence: Evidence, person: frozenset[Identifier], policy: MergePolicy) -> Evidence:
    """Return the evidence without a person's records and identifiers. Everybody else who is suppressed stays so."""
    remaining = Evidence()
    others = {
        name
        for names in evidence.claims
        if min(names, key=policy.rank) not in person
        for name in names
        if name not in person
    }
    for record in evidence.records():
        kept = without_person(record, person, policy)
        if isinstance(record, Claim) and isinstance(kept, RefusedOptOut):
            # An opt-out of the person stays for identifiers that other persons' records name.
            kept = msgspec.structs.replace(kept, identifiers=tuple(name for name in kept.identifiers if name in others))
        if kept and identifiers_in(kept):
            remaining.add(kept)
    remaining.shared = evidence.shared - person
    for opt_out in list(_lost_opt_outs(evidence, remaining, policy)):
        remaining.add(opt_out)
    return remaining


def _lost_opt_outs(evidence: Evidence, remaining: Evidence, policy: MergePolicy) -> Iterator[RefusedOptOut]:
    """Yield the opt-outs that reached other persons through erased records only, for the sources of their records.

    They have the time of the newest remaining record, so that only a later no of such a source ends them. The value is
    True, because the original one can be a text about the erased person.
    """
    before = opt_outs_of(evidence, named_claims(evidence, policy), policy)
    if not before:
        return
    claims = named_claims(remaining, policy)
    after = opt_outs_of(remaining, claims, policy)
    refused = remaining.refused_opt_outs.values()
    named = [names for names, _ in claims]
    named += (sorted(set(each.identifiers) - remaining.shared, key=policy.rank) for each in refused)
    sources = {names[0] for names in named if names}
    sources |= remaining.identifiers().difference(remaining.shared, *named)  # LINE IDs that only follows name
    said = [claim.attributes for claim in remaining.claims.values()] + [each.attributes for each in refused]
    newest = max((dated.at for attributes in said for dated in attributes.values()), default=UNDATED)
    for source in sorted(sources):
        lost = {
            name: DatedValue(max(value.at, newest), value=True)
            for name, value in before.get(source, {}).items()
            if name not in after.get(source, {})
        }
        if lost:
            yield RefusedOptOut((source,), lost)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value
