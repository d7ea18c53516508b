"""Emails that too many people share: they name nobody, for good.

Evidence about an email is kept with everybody who claims it. Of an email that is no person's, such as `info@` some
company or what a shop's staff types for a missing one, that would be a crowd of strangers, written anew with each of
their records. So an email that more ids and LINE IDs than `max_people_per_email` are claimed with is taken out of all
evidence, and of what comes later. Evidence only grows and neither ids nor LINE IDs are ever taken out: so which emails
are shared depends on the set of records, not on their order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from line_core.identity.model import UNDATED, Claim, Cut, Evidence, Follow, Identifier, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_OTHERS_IN_A_CLAIM = 2


def shared_emails(evidence: Evidence, most: int) -> set[Identifier]:
    """The emails that more ids and LINE IDs are claimed with than that."""
    if len(evidence.claims) * _OTHERS_IN_A_CLAIM <= most:
        return set()
    people: defaultdict[Identifier, set[Identifier]] = defaultdict(set)
    for names in evidence.claims:
        for email in names:
            if email.kind is Kind.EMAIL:
                people[email].update(name for name in names if name != email)
    return {email for email, named in people.items() if len(named) > most}


def without(record: Claim | Follow | Cut, emails: Collection[Identifier]) -> Claim | Follow | Cut | None:
    """What a piece of evidence says without some emails; None for nothing."""
    match record:
        case Follow():
            return record
        case Cut():
            names = tuple(name for name in record if name not in emails)
            if len(names) == len(record):
                return record
            return Claim(names, UNDATED, UNDATED) if names else None  # that there is somebody of that name
        case Claim():
            names = tuple(name for name in record.identifiers if name not in emails)
            return replace(record, identifiers=names) if names else None


def parts_without(evidence: Evidence, emails: Collection[Identifier]) -> list[Evidence]:
    """What still hangs together without some emails."""
    parent: dict[Identifier, Identifier] = {}

    def root(name: Identifier) -> Identifier:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = name = parent[above]
        return name

    records = [record for said in _records(evidence) if (record := without(said, emails))]
    for record in records:
        first, *others = names_of(record)
        for name in others:
            parent[root(name)] = root(first)
    parts: defaultdict[Identifier, Evidence] = defaultdict(Evidence)
    for record in records:
        parts[root(names_of(record)[0])].add(record)
    return list(parts.values())


def names_of(record: Claim | Follow | Cut) -> tuple[Identifier, ...]:
    """The identifiers that a piece of evidence speaks of."""
    match record:
        case Claim():
            return record.identifiers
        case Follow():
            return (record.line_id,)
        case Cut():
            return tuple(record)


def _records(evidence: Evidence) -> Iterator[Claim | Follow | Cut]:
    yield from evidence.claims.values()
    yield from evidence.follows.values()
    yield from sorted(evidence.cuts)
