"""Data model of identity evidence: identifiers, and the records about them.

Evidence is only added to, except by corrections. Merging evidence is commutative, associative and idempotent. Times are
milliseconds since 1970-01-01 UTC; `UNDATED` stands for a record without a time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from line_core.consent import consent_of
from line_core.follow_state import FollowState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

UNDATED = -(2**53)
"""Time of a record without one. Older than every date, also than those before 1970."""


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


_PLAIN_TYPES = frozenset({str, int, bool, float, type(None)})


class DatedValue(msgspec.Struct, array_like=True, frozen=True):
    """Value of an attribute with the time of its record. A struct, because every record creates several."""

    at: int
    value: Any

    def newer(self, other: DatedValue) -> DatedValue:
        """Return the value that counts: the newer one; at the same time, the one with the greater tie breaker."""
        if self.at != other.at:
            return self if self.at > other.at else other
        if self._is_plainly_equal(other.value):
            return self
        return self if self.tie_breaker() >= other.tie_breaker() else other

    def _is_plainly_equal(self, value: object) -> bool:
        """Return whether the values have the same JSON text, if this can be told without writing it."""
        kind = type(value)
        # 0.0 equals -0.0 and has another text.
        return (
            kind is type(self.value)
            and kind in _PLAIN_TYPES
            and self.value == value
            and (bool(value) or kind is not float)
        )

    def tie_breaker(self) -> tuple[bool, bool, str]:
        """Return a sort key for values with the same time: a value before null, yes before no, then the JSON text."""
        return self.value is not None, consent_of(self.value) is True, json.dumps(self.value, sort_keys=True)


class Claim(msgspec.Struct, omit_defaults=True):
    """Records that state that these identifiers belong to one person, with the person's attributes.

    All records with the same identifiers form one claim.
    """

    identifiers: tuple[Identifier, ...]
    """At most one of each kind, in the order of `IdentifierKind`."""
    first_at: int = UNDATED
    """Time of the oldest record."""
    last_at: int = UNDATED
    """Time of the newest record."""
    attributes: dict[str, DatedValue] = {}
    linked_first_at: int | None = None
    """Oldest time at which the LINE ID was linked (`linked_at`, else the time of the record); None if `first_at`."""
    linked_last_at: int | None = None
    """Newest time at which the LINE ID was linked; None if `last_at`."""

    def __post_init__(self) -> None:
        """Leave out the span of `linked_at` if it is that of the records: equal claims have equal fields."""
        if self.linked_first_at is not None and self.linked() == (self.first_at, self.last_at):
            self.linked_first_at = self.linked_last_at = None

    def linked(self) -> tuple[int, int]:
        """Return the oldest and the newest time at which the LINE ID was linked."""
        first, last = self.linked_first_at, self.linked_last_at
        return self.first_at if first is None else first, self.last_at if last is None else last

    def named(self, identifier: Identifier) -> tuple[int, int]:
        """Return the oldest and the newest time at which the claim names an identifier."""
        return self.linked() if identifier.kind is IdentifierKind.LINE_ID else (self.first_at, self.last_at)

    def copy(self) -> Claim:
        """Return a copy with its own attributes."""
        return msgspec.structs.replace(self, attributes=dict(self.attributes))

    def covers(self, other: Claim) -> bool:
        """Return whether merging a claim with the same identifiers would change nothing."""
        if other.first_at < self.first_at or other.last_at > self.last_at:
            return False
        if self.linked_first_at is not None or other.linked_first_at is not None:
            (first, last), (other_first, other_last) = self.linked(), other.linked()
            if other_first < first or other_last > last:
                return False
        return _cover(self.attributes, other.attributes)

    def merge(self, other: Claim) -> None:
        """Add the times and attributes of a claim with the same identifiers."""
        (first, last), (other_first, other_last) = self.linked(), other.linked()
        self.first_at, self.last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)
        self.linked_first_at, self.linked_last_at = min(first, other_first), max(last, other_last)
        self.__post_init__()
        _merge_values(self.attributes, other.attributes)

    def without(self, times: Collection[int]) -> Claim | None:
        """Return the claim without the records of some times, None if no record remains."""
        attributes = {name: value for name, value in self.attributes.items() if value.at not in times}
        remaining = {self.first_at, self.last_at, *(value.at for value in attributes.values())}.difference(times)
        if not remaining:
            return None
        linked = set(self.linked()).difference(times) if self.linked_first_at is not None else ()
        return Claim(
            self.identifiers,
            min(remaining),
            max(remaining),
            attributes,
            min(linked, default=None),
            max(linked, default=None),
        )


# Of two states with the same time, the higher priority wins. The most restrictive state has the highest one.
_STATE_PRIORITY = {FollowState.UNKNOWN: 0, FollowState.FOLLOWING: 1, FollowState.UNFOLLOWED: 2}


class Follow(msgspec.Struct, omit_defaults=True):
    """Follow state of a LINE ID on a channel as of its newest record."""

    line_id: Identifier
    state: FollowState
    at: int = UNDATED
    """Time of the newest record."""
    followed_at: int = UNDATED
    """Newest time at which the LINE ID was following."""
    channel: str = ""
    """Name of the channel. Empty if an older version stored it: it counts for every channel."""

    def covers(self, other: Follow) -> bool:
        """Return whether merging a record of the same LINE ID would change nothing."""
        return other._precedence() <= self._precedence() and other.followed_at <= self.followed_at

    def merge(self, other: Follow) -> None:
        """Apply another record of the same LINE ID. At the same time, an unfollow wins over a follow."""
        if other._precedence() > self._precedence():
            self.state, self.at = other.state, other.at
        self.followed_at = max(self.followed_at, other.followed_at)

    def copy(self) -> Follow:
        """Return a copy."""
        return msgspec.structs.replace(self)

    def _precedence(self) -> tuple[int, int]:
        return self.at, _STATE_PRIORITY[self.state]


class Unlink(NamedTuple):
    """A record of an identifier had null for a kind: its links to older identifiers of this kind ended."""

    identifier: Identifier
    """Strongest identifier of the record."""
    kind: IdentifierKind
    provider: str
    """Provider of the LINE IDs; empty for the other kinds."""
    at: int


class RefusedOptOut(msgspec.Struct, omit_defaults=True):
    """The opt-out attributes of rejected records, for the valid identifiers that they name. It links nothing."""

    identifiers: tuple[Identifier, ...]
    attributes: dict[str, DatedValue] = {}


class CorrectionKind(StrEnum):
    """What an operator corrected."""

    SEPARATE = "separate"
    """Two identifiers are never in one profile."""
    DETACH = "detach"
    """All links of one identifier are void."""
    KEEP_LINK = "keep_link"
    """The link of two identifiers, the stronger one first, is neither superseded nor ended."""
    WITHDRAW = "withdraw"
    """The records of a claim with a certain time do not count."""


class Correction(NamedTuple):
    """A decision of an operator. It stays in force when the same records are loaded again."""

    kind: CorrectionKind
    identifiers: tuple[Identifier, ...]
    at: int = UNDATED
    """Time of the withdrawn records."""

    @classmethod
    def separate(cls, one: Identifier, other: Identifier) -> Correction:
        """Return the correction that separates two identifiers, the same for either order."""
        return cls(CorrectionKind.SEPARATE, (min(one, other), max(one, other)))


EvidenceRecord: TypeAlias = Claim | Follow | Unlink | RefusedOptOut | Correction
"""Smallest piece of evidence."""


def identifiers_in(record: EvidenceRecord) -> tuple[Identifier, ...]:
    """Return the identifiers that a record names."""
    if isinstance(record, Claim):  # the most frequent kind
        return record.identifiers
    match record:
        case Follow():
            return (record.line_id,)
        case Unlink():
            return (record.identifier,)
        case _:
            return record.identifiers


@dataclass(slots=True)
class Evidence:
    """All records about a set of identifiers, usually those of one cluster."""

    claims: dict[tuple[Identifier, ...], Claim] = field(default_factory=dict)
    follows: dict[tuple[Identifier, str], Follow] = field(default_factory=dict)
    """By LINE ID and channel."""
    unlinks: dict[tuple[Identifier, IdentifierKind, str], Unlink] = field(default_factory=dict)
    """By identifier, kind and provider; only the newest one has an effect."""
    refused_opt_outs: dict[tuple[Identifier, ...], RefusedOptOut] = field(default_factory=dict)
    corrections: set[Correction] = field(default_factory=set)
    shared: set[Identifier] = field(default_factory=set)
    """Identifiers of the claims that identify nobody, since too many people claim them."""

    def add(self, record: EvidenceRecord) -> None:
        """Add a copy of one record."""
        match self._without_withdrawn(record):
            case Claim() as claim:
                if known := self.claims.get(claim.identifiers):
                    known.merge(claim)
                else:
                    self.claims[claim.identifiers] = claim.copy()
            case Follow() as follow:
                if known_follow := self.follows.get((follow.line_id, follow.channel)):
                    known_follow.merge(follow)
                else:
                    self.follows[follow.line_id, follow.channel] = follow.copy()
            case Unlink() as unlink:
                known_unlink = self.unlinks.setdefault(unlink[:3], unlink)
                if unlink.at > known_unlink.at:
                    self.unlinks[unlink[:3]] = unlink
            case RefusedOptOut() as refused:
                known_values = self.refused_opt_outs.setdefault(
                    refused.identifiers, RefusedOptOut(refused.identifiers)
                ).attributes
                _merge_values(known_values, refused.attributes)
            case Correction() as correction:
                self._correct(correction)

    def covers(self, record: EvidenceRecord) -> bool:
        """Return whether adding the record would change nothing. True for most records of a repeated run."""
        match self._without_withdrawn(record):
            case Claim() as claim:
                known = self.claims.get(claim.identifiers)
                return known is not None and known.covers(claim)
            case Follow() as follow:
                known_follow = self.follows.get((follow.line_id, follow.channel))
                return known_follow is not None and known_follow.covers(follow)
            case Unlink() as unlink:
                known_unlink = self.unlinks.get(unlink[:3])
                return known_unlink is not None and unlink.at <= known_unlink.at
            case RefusedOptOut() as refused:
                known_refused = self.refused_opt_outs.get(refused.identifiers)
                return known_refused is not None and _cover(known_refused.attributes, refused.attributes)
            case Correction() as correction:
                return correction in self.corrections
        return True

    def merge(self, other: Evidence) -> None:
        """Add all records of other evidence."""
        for correction in other.corrections:
            self.add(correction)
        for record in other.records():
            self.add(record)
        self.shared |= other.shared

    def remove(self, correction: Correction) -> None:
        """Take a correction back. Records that it withdrew count again when they are loaded again."""
        self.corrections.discard(correction)

    def records(self) -> Iterator[EvidenceRecord]:
        """Yield all records; claims, follows, unlinks and opt-outs in their order of arrival."""
        yield from self.claims.values()
        yield from self.follows.values()
        yield from self.unlinks.values()
        yield from self.refused_opt_outs.values()
        yield from sorted(self.corrections)

    def people(self) -> set[Identifier]:
        """Return every identifier that belongs to a profile: those that claims and follows name, except shared ones."""
        claimed = {identifier for identifiers in self.claims for identifier in identifiers}
        return (claimed | {line_id for line_id, _ in self.follows}) - self.shared

    def is_one_follow(self) -> bool:
        """Return whether the evidence consists of one follow state and nothing else."""
        others = self.claims or self.unlinks or self.refused_opt_outs or self.corrections or self.shared
        return len(self.follows) == 1 and not others

    def identifiers(self) -> set[Identifier]:
        """Return every identifier that any record names, except shared ones."""
        others: tuple[EvidenceRecord, ...] = (
            *self.unlinks.values(),
            *self.refused_opt_outs.values(),
            *self.corrections,
        )
        return self.people() | {name for record in others for name in identifiers_in(record)} - self.shared

    def _correct(self, correction: Correction) -> None:
        self.corrections.add(correction)
        if correction.kind is not CorrectionKind.WITHDRAW:
            return
        for known in (self.claims, self.refused_opt_outs):
            record = known.pop(correction.identifiers, None)
            if record is not None:
                self.add(record)

    def _without_withdrawn(self, record: EvidenceRecord) -> EvidenceRecord | None:
        """Return the record without withdrawn times, None if nothing remains."""
        if not self.corrections or not isinstance(record, Claim | RefusedOptOut):
            return record
        times = {value.at for value in record.attributes.values()}
        if isinstance(record, Claim):
            times |= {record.first_at, record.last_at, *record.linked()}
        withdrawn = CorrectionKind.WITHDRAW, record.identifiers
        times = {at for at in times if Correction(*withdrawn, at) in self.corrections}
        if not times:
            return record
        if isinstance(record, Claim):
            return record.without(times)
        attributes = {name: value for name, value in record.attributes.items() if value.at not in times}
        return RefusedOptOut(record.identifiers, attributes) if attributes else None


def _cover(known: dict[str, DatedValue], values: dict[str, DatedValue]) -> bool:
    """Return whether merging the values would change nothing."""
    for name, value in values.items():
        have = known.get(name)
        if have is None or (have is not value and have.newer(value) is value):
            return False
    return True


def _merge_values(known: dict[str, DatedValue], values: dict[str, DatedValue]) -> None:
    for name, value in values.items():
        have = known.get(name)
        known[name] = value if have is None else have.newer(value)
