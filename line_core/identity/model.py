"""Data model of identity resolution: identifiers, evidence about them, and the resulting profiles.

Evidence is only added to. Merging evidence is commutative, associative and idempotent. Times are milliseconds since
1970-01-01 UTC; `UNDATED` stands for a record without a time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from line_core.follow_state import FollowState

UNDATED = 0
"""Time of a record without one. Older than every dated record."""


class IdentifierKind(StrEnum):
    """Kind of an identifier, in the order in which a claim lists its identifiers."""

    ID = "id"
    EMAIL = "email"
    LINE_ID = "line_id"


class Identifier(NamedTuple):
    """One identifier of a person."""

    kind: IdentifierKind
    provider: str
    """LINE provider that issued a LINE ID; empty for the other kinds."""
    value: str

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Return the identifier that `str()` wrote.

        Raises:
            ValueError: The text has another form.
        """
        kind, _, value = text.partition(":")
        provider, _, name = value.rpartition("/") if kind == IdentifierKind.LINE_ID else ("", "", value)
        if not name:
            raise ValueError(f"{text!r} is not of the form id:…, email:… or line_id:<provider>/…")
        return cls(IdentifierKind(kind), provider, name)

    def __str__(self) -> str:
        """Return `id:42`, `email:a@example.com` or `line_id:default/U…`."""
        return f"{self.kind}:{self.provider}/{self.value}" if self.provider else f"{self.kind}:{self.value}"


class DatedValue(NamedTuple):
    """Value of an attribute with the time of its record."""

    at: int
    value: Any

    def newer(self, other: DatedValue) -> DatedValue:
        """Return the newer of two values.

        Of two values with the same time, the greater JSON text wins, so the result does not depend on the order of
        arrival.
        """
        if self.at != other.at:
            return self if self.at > other.at else other
        return self if self.tie_breaker() >= other.tie_breaker() else other

    def tie_breaker(self) -> str:
        """Return a sort key for values with the same time."""
        return json.dumps(self.value, sort_keys=True)


@dataclass(slots=True)
class Claim:
    """Records that state that these identifiers belong to one person, with the person's attributes.

    All records with the same identifiers form one claim.
    """

    identifiers: tuple[Identifier, ...]
    """At most one of each kind, in the order of `IdentifierKind`."""
    first_at: int
    """Time of the oldest record."""
    last_at: int
    """Time of the newest record."""
    attributes: dict[str, DatedValue] = field(default_factory=dict)

    def covers(self, other: Claim) -> bool:
        """Return whether merging a claim with the same identifiers would change nothing."""
        if other.first_at < self.first_at or other.last_at > self.last_at:
            return False
        for name, value in other.attributes.items():
            known = self.attributes.get(name)
            if known is None or (known != value and known.newer(value) is value):
                return False
        return True

    def merge(self, other: Claim) -> None:
        """Add the times and attributes of a claim with the same identifiers."""
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        for name, value in other.attributes.items():
            known = self.attributes.get(name)
            self.attributes[name] = value if known is None else known.newer(value)


# Of two states with the same time, the higher priority wins. The most restrictive state has the highest one.
_STATE_PRIORITY = {FollowState.UNKNOWN: 0, FollowState.FOLLOWING: 1, FollowState.UNFOLLOWED: 2}


@dataclass(slots=True)
class Follow:
    """Follow state of a LINE ID as of its newest record."""

    line_id: Identifier
    state: FollowState
    at: int
    """Time of the newest record."""
    followed_at: int = UNDATED
    """Newest time at which the LINE ID was following."""

    def covers(self, other: Follow) -> bool:
        """Return whether merging a record of the same LINE ID would change nothing."""
        return other._precedence() <= self._precedence() and other.followed_at <= self.followed_at

    def merge(self, other: Follow) -> None:
        """Apply another record of the same LINE ID. At the same time, an unfollow wins over a follow."""
        if other._precedence() > self._precedence():
            self.state, self.at = other.state, other.at
        self.followed_at = max(self.followed_at, other.followed_at)

    def _precedence(self) -> tuple[int, int]:
        return self.at, _STATE_PRIORITY[self.state]


class SeparationConstraint(NamedTuple):
    """Statement that two identifiers must never be in one profile. Undoing a merge creates it."""

    one: Identifier
    other: Identifier

    @classmethod
    def between(cls, one: Identifier, other: Identifier) -> SeparationConstraint:
        """Return the constraint between two identifiers, the same for either order."""
        return cls(min(one, other), max(one, other))


EvidenceRecord: TypeAlias = Claim | Follow | SeparationConstraint
"""Smallest piece of evidence."""


@dataclass(slots=True)
class Evidence:
    """All records about a set of identifiers, usually those of one cluster."""

    claims: dict[tuple[Identifier, ...], Claim] = field(default_factory=dict)
    follows: dict[Identifier, Follow] = field(default_factory=dict)
    separations: set[SeparationConstraint] = field(default_factory=set)

    def add(self, record: EvidenceRecord) -> None:
        """Add a copy of one record."""
        if isinstance(record, SeparationConstraint):
            self.separations.add(record)
        elif isinstance(record, Claim):
            if known := self.claims.get(record.identifiers):
                known.merge(record)
            else:
                self.claims[record.identifiers] = replace(record, attributes=dict(record.attributes))
        elif follow := self.follows.get(record.line_id):
            follow.merge(record)
        else:
            self.follows[record.line_id] = replace(record)

    def covers(self, record: EvidenceRecord) -> bool:
        """Return whether adding the record would change nothing. True for most records of a repeated run."""
        if isinstance(record, SeparationConstraint):
            return record in self.separations
        if isinstance(record, Claim):
            claim = self.claims.get(record.identifiers)
            return claim is not None and claim.covers(record)
        follow = self.follows.get(record.line_id)
        return follow is not None and follow.covers(record)

    def merge(self, other: Evidence) -> None:
        """Add all records of other evidence."""
        for claim in other.claims.values():
            self.add(claim)
        for follow in other.follows.values():
            self.add(follow)
        self.separations |= other.separations

    def identifiers(self) -> set[Identifier]:
        """Return every identifier that a record names."""
        claimed = {identifier for identifiers in self.claims for identifier in identifiers}
        separated = {identifier for constraint in self.separations for identifier in constraint}
        return claimed | self.follows.keys() | separated


@dataclass(frozen=True, slots=True)
class LineAccount:
    """One LINE ID of a profile."""

    line_id: str
    provider: str
    follow_state: FollowState


@dataclass(frozen=True, slots=True)
class Profile:
    """One person: a set of merged identifiers with attributes."""

    key: Identifier
    """Strongest identifier; of several equally strong ones, the oldest."""
    id: str | None
    email: str | None
    line_accounts: tuple[LineAccount, ...]
    """Sorted by LINE ID."""
    canonical: dict[str, LineAccount]
    """LINE account to send messages to, by provider."""
    attributes: dict[str, Any]
    former_emails: tuple[str, ...]
    identifiers: frozenset[Identifier]
    is_contested: bool = False
    """Whether profiles with different ids claim one of the identifiers and `identifier_conflict` is `reject`."""


class MergeRule(StrEnum):
    """Rule by which two profiles were merged, an identifier was moved, or a merge was undone."""

    ANONYMOUS_IDENTIFIED = "anonymous_identified"
    """A profile with LINE IDs only was merged into the profile that claims one of them."""
    EMAIL_IDENTIFIED = "email_identified"
    """A profile without an id was merged into the profile that claims its email."""
    IDENTIFIER_MOVED = "identifier_moved"
    """Profiles with different ids claim the identifier; `identifier_conflict` decided."""
    UNMERGED = "unmerged"
    """An operator undid an earlier merge or move."""


@dataclass(frozen=True, slots=True)
class Merge:
    """One profile was merged into another, or one identifier was moved from one profile to another."""

    rule: MergeRule
    survivor: Identifier
    """Key of the profile that has the identifier now."""
    absorbed: Identifier
    """Key of the profile that had or claimed the identifier."""
    identifier: Identifier
    """Identifier that was merged or moved."""
    evidence_at: int = field(compare=False)
    """Time of the deciding claim. Ignored in comparisons: older evidence of a merge does not make a second merge."""


class RejectionReason(StrEnum):
    """Reason why a profile does not get an identifier that it claims."""

    AMBIGUOUS_IDENTITY = "ambiguous_identity"
    """Profiles with different ids claim it, and `identifier_conflict` is `reject`."""
    TOO_MANY_LINE_IDS = "too_many_line_ids"
    """The profile would have more LINE IDs than `max_line_ids_per_profile`."""
    SHARED_EMAIL = "shared_email"
    """More people than `max_people_per_email` claim it."""


@dataclass(frozen=True, slots=True)
class RejectedIdentifier:
    """An identifier that a profile claims and does not get."""

    reason: RejectionReason
    claimed_by: Identifier
    """Strongest identifier of the claim."""
    identifier: Identifier
