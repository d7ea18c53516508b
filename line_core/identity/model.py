"""The words of identity: identifiers, the evidence about them, and the profiles that follow from it.

Evidence only ever grows, and two pieces of evidence merge the same way in any order and any number of times. Times are
milliseconds since 1970 (UTC), `UNDATED` where a record gave none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from line_core.follow_state import FollowState

UNDATED = 0
"""The time of records without one: older than every dated record."""


class Kind(StrEnum):
    """What an identifier is; the order here is the one that claims are written in."""

    ID = "id"
    EMAIL = "email"
    LINE_ID = "line_id"


_FOLLOW_WEIGHT = {FollowState.UNKNOWN: 0, FollowState.FOLLOWING: 1, FollowState.UNFOLLOWED: 2}


class Identifier(NamedTuple):
    """One name of a person."""

    kind: Kind
    provider: str
    """The provider that issued a LINE ID; empty for the customer's own identifiers."""
    value: str

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Read what `str` wrote.

        Raises:
            ValueError: It is something else.
        """
        kind, _, value = text.partition(":")
        provider, _, name = value.rpartition("/") if kind == Kind.LINE_ID else ("", "", value)
        if not name:
            raise ValueError(f"{text!r} is not of the form id:…, email:… or line_id:<provider>/…")
        return cls(Kind(kind), provider, name)

    def __str__(self) -> str:
        """`id:42`, `email:a@example.com`, `line_id:default/U…`."""
        return f"{self.kind}:{self.provider}/{self.value}" if self.provider else f"{self.kind}:{self.value}"


class Dated(NamedTuple):
    """An attribute's value and when it was said."""

    at: int
    value: Any

    def newer(self, other: Dated) -> Dated:
        """The later of two; of equal times the greater JSON text, so that the order of arrival never decides."""
        if self.at != other.at:
            return self if self.at > other.at else other
        return self if self.tie_break() >= other.tie_break() else other

    def tie_break(self) -> str:
        """A total order over values of equal time."""
        return json.dumps(self.value, sort_keys=True)


@dataclass(slots=True)
class Claim:
    """That these identifiers name one person, said at least once, and what was said of that person with it.

    All records with the same identifiers are one claim.
    """

    identifiers: tuple[Identifier, ...]
    """At most one of each kind, in the order of `Kind`."""
    first_at: int
    last_at: int
    attributes: dict[str, Dated] = field(default_factory=dict)

    def knows(self, other: Claim) -> bool:
        """Whether another record with the same identifiers would change nothing."""
        if other.first_at < self.first_at or other.last_at > self.last_at:
            return False
        for key, said in other.attributes.items():
            held = self.attributes.get(key)
            if held is None or (held != said and held.newer(said) is said):
                return False
        return True

    def merge(self, other: Claim) -> None:
        """Take in what another record said with the same identifiers."""
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        for key, said in other.attributes.items():
            held = self.attributes.get(key)
            self.attributes[key] = said if held is None else held.newer(said)


@dataclass(slots=True)
class Follow:
    """The follow state of a LINE ID, as of the newest record about it."""

    line_id: Identifier
    state: FollowState
    at: int
    followed_at: int = UNDATED
    """The newest time at which it was seen following."""

    def knows(self, other: Follow) -> bool:
        """Whether another record about the same LINE ID would change nothing."""
        return other._weight() <= self._weight() and other.followed_at <= self.followed_at

    def merge(self, other: Follow) -> None:
        """Take in another record; of equal times the unfollow wins, since it only ever sends less."""
        if other._weight() > self._weight():
            self.state, self.at = other.state, other.at
        self.followed_at = max(self.followed_at, other.followed_at)

    def _weight(self) -> tuple[int, int]:
        return self.at, _FOLLOW_WEIGHT[self.state]


class Cut(NamedTuple):
    """That two identifiers are not one person's, whatever else is said: what undoing a merge leaves behind."""

    one: Identifier
    other: Identifier

    @classmethod
    def between(cls, one: Identifier, other: Identifier) -> Cut:
        """The same cut, whichever identifier is named first."""
        return cls(min(one, other), max(one, other))


@dataclass(slots=True)
class Evidence:
    """All that was said about people whose identifiers hang together."""

    claims: dict[tuple[Identifier, ...], Claim] = field(default_factory=dict)
    follows: dict[Identifier, Follow] = field(default_factory=dict)
    cuts: set[Cut] = field(default_factory=set)

    def add(self, record: Claim | Follow | Cut) -> None:
        """Take in one record; the record is not kept, only what it says."""
        if isinstance(record, Cut):
            self.cuts.add(record)
        elif isinstance(record, Claim):
            if held := self.claims.get(record.identifiers):
                held.merge(record)
            else:
                self.claims[record.identifiers] = replace(record, attributes=dict(record.attributes))
        elif follow := self.follows.get(record.line_id):
            follow.merge(record)
        else:
            self.follows[record.line_id] = replace(record)

    def knows(self, record: Claim | Follow | Cut) -> bool:
        """Whether the record would add nothing, as most records of a repeated run do."""
        if isinstance(record, Cut):
            return record in self.cuts
        if isinstance(record, Claim):
            held = self.claims.get(record.identifiers)
            return held is not None and held.knows(record)
        follow = self.follows.get(record.line_id)
        return follow is not None and follow.knows(record)

    def merge(self, other: Evidence) -> None:
        """Take in other evidence."""
        for claim in other.claims.values():
            self.add(claim)
        for follow in other.follows.values():
            self.add(follow)
        self.cuts |= other.cuts

    def identifiers(self) -> set[Identifier]:
        """Every identifier that is spoken of."""
        claimed = {identifier for claim in self.claims for identifier in claim}
        return claimed | self.follows.keys() | {identifier for cut in self.cuts for identifier in cut}


@dataclass(frozen=True, slots=True)
class LineAccount:
    """One LINE ID of a profile."""

    line_id: str
    provider: str
    follow_state: FollowState


@dataclass(frozen=True, slots=True)
class Profile:
    """A person, as the evidence and the rules have it."""

    key: Identifier
    """The strongest identifier, of equally strong ones the oldest."""
    id: str | None
    email: str | None
    line_accounts: tuple[LineAccount, ...]
    """By LINE ID."""
    canonical: dict[str, LineAccount]
    """The LINE account to write to, by provider."""
    attributes: dict[str, Any]
    former_emails: tuple[str, ...]
    identifiers: frozenset[Identifier]
    is_contested: bool = False
    """Whether profiles with different ids claim one of its identifiers, and `identifier_conflict` is `reject`."""


class Rule(StrEnum):
    """Why profiles were joined or an identifier moved."""

    ANONYMOUS_IDENTIFIED = "anonymous_identified"
    """A profile known only by its LINE ID went into the one that claims that LINE ID."""
    EMAIL_IDENTIFIED = "email_identified"
    """A profile known by its email went into the one that claims that email."""
    IDENTIFIER_MOVED = "identifier_moved"
    """Profiles with different ids claim the identifier; it went by `identifier_conflict`."""
    UNMERGED = "unmerged"
    """Somebody undid an earlier merge or move."""


@dataclass(frozen=True, slots=True)
class Join:
    """That one profile went into another, or an identifier moved from one to another."""

    rule: Rule
    survivor: Identifier
    absorbed: Identifier
    identifier: Identifier
    """The identifier that joined or moved."""
    evidence_at: int = field(compare=False)
    """Time of the claim that did it; older evidence of the same join does not make another join."""


class Doubt(StrEnum):
    """Why the rules do not give an identifier to a profile that claims it."""

    AMBIGUOUS_IDENTITY = "ambiguous_identity"
    """Profiles with different ids claim it, and `identifier_conflict` is `reject`."""
    TOO_MANY_LINE_IDS = "too_many_line_ids"
    """The profile would have more LINE IDs than `max_line_ids_per_profile`."""
    SHARED_EMAIL = "shared_email"
    """More people than `max_people_per_email` claim it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a profile claims an identifier and does not get it."""

    doubt: Doubt
    claimed_by: Identifier
    """Strongest identifier of the claim."""
    identifier: Identifier
