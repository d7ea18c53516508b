"""Shared emails: emails that too many people are claimed with.

An address such as `info@…`, or a placeholder for a missing email, would merge many unrelated people into one cluster,
and each of their records would rewrite that cluster. So an email that is claimed with more than `max_people_per_email`
ids and LINE IDs is removed from all evidence and ignored in later records. Evidence is only added to, and ids and LINE
IDs are never removed, so the set of shared emails depends on the set of records and not on their order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from line_core.identity.model import UNDATED, Claim, Evidence, Follow, Identifier, IdentifierKind, SeparationConstraint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from line_core.identity.model import EvidenceRecord

# A claim holds at most one id and one LINE ID beside its email.
_PEOPLE_PER_CLAIM = 2


def shared_emails(evidence: Evidence, max_people: int) -> set[Identifier]:
    """Return the emails that are claimed with more than `max_people` ids and LINE IDs."""
    if len(evidence.claims) * _PEOPLE_PER_CLAIM <= max_people:
        return set()
    people: defaultdict[Identifier, set[Identifier]] = defaultdict(set)
    for identifiers in evidence.claims:
        for email in identifiers:
            if email.kind is IdentifierKind.EMAIL:
                people[email].update(identifier for identifier in identifiers if identifier != email)
    return {email for email, claimed_with in people.items() if len(claimed_with) > max_people}


def without_emails(record: EvidenceRecord, emails: Collection[Identifier]) -> EvidenceRecord | None:
    """Return the record without some emails, or None if no identifier is left.

    A separation constraint that loses an identifier becomes an undated claim of the other one.
    """
    match record:
        case Follow():
            return record
        case SeparationConstraint():
            kept = tuple(identifier for identifier in record if identifier not in emails)
            if len(kept) == len(record):
                return record
            return Claim(kept, UNDATED, UNDATED) if kept else None
        case Claim():
            kept = tuple(identifier for identifier in record.identifiers if identifier not in emails)
            return replace(record, identifiers=kept) if kept else None


def split_without_emails(evidence: Evidence, emails: Collection[Identifier]) -> list[Evidence]:
    """Remove some emails from evidence and return the connected components that remain."""
    parent: dict[Identifier, Identifier] = {}

    def root(identifier: Identifier) -> Identifier:
        while (above := parent.setdefault(identifier, identifier)) != identifier:
            parent[identifier] = identifier = parent[above]
        return identifier

    records = [kept for record in _records(evidence) if (kept := without_emails(record, emails))]
    for record in records:
        first, *others = identifiers_in(record)
        for identifier in others:
            parent[root(identifier)] = root(first)
    components: defaultdict[Identifier, Evidence] = defaultdict(Evidence)
    for record in records:
        components[root(identifiers_in(record)[0])].add(record)
    return list(components.values())


def identifiers_in(record: EvidenceRecord) -> tuple[Identifier, ...]:
    """Return the identifiers that a record names."""
    match record:
        case Claim():
            return record.identifiers
        case Follow():
            return (record.line_id,)
        case SeparationConstraint():
            return tuple(record)


def _records(evidence: Evidence) -> Iterator[EvidenceRecord]:
    yield from evidence.claims.values()
    yield from evidence.follows.values()
    yield from sorted(evidence.separations)
