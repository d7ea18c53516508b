"""A vocabulary for identity's tests: short ways to say who claims what, when (in minutes)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from line_core.identity.model import Evidence, EvidenceRecord, Identifier, IdentifierKind, SeparationConstraint
from line_core.identity.policy import AttributeConflict, CanonicalCriterion, IdentifierConflict, MergePolicy
from target_line.identity.records import parse_follow, parse_profile
from target_line.intake.roles import Role


def line_id(number: int) -> str:
    """A LINE ID that is easy to tell from others."""
    return f"U{number:032x}"


def minute(at: int) -> str:
    """The time that many minutes into a day."""
    return f"2026-01-01T{at // 60:02}:{at % 60:02}:00Z"


def identify(*, at: int = 0, line: int | None = None, **columns: Any) -> EvidenceRecord:
    """A `profiles` record; undated without `at`."""
    record = {**columns, "line_id": line_id(line) if line else None, "updated_at": minute(at) if at else None}
    return parse_profile(record, "default")


def follow(line: int, *, at: int, type_: str = "follow") -> EvidenceRecord:
    """A `follows` record."""
    record = {"line_id": line_id(line), "type": type_, "occurred_at": minute(at)}
    return parse_follow(record, "default", Role.FOLLOWS)


def cut(one: str, other: str | int) -> SeparationConstraint:
    """That a customer's id is kept apart from an email, or from a LINE ID (given by its number)."""
    if isinstance(other, int):
        apart = Identifier(IdentifierKind.LINE_ID, "default", line_id(other))
    else:
        apart = Identifier(IdentifierKind.EMAIL, "", other)
    return SeparationConstraint.between(Identifier(IdentifierKind.ID, "", one), apart)


def evidence_of(*records: EvidenceRecord) -> Evidence:
    """What the records say together."""
    evidence = Evidence()
    for record in records:
        evidence.add(record)
    return evidence


_times = st.integers(min_value=0, max_value=5)
_lines = st.integers(min_value=1, max_value=4)
_follows = st.builds(
    lambda line, at, type_: follow(line, at=at, type_=type_),
    _lines,
    _times,
    st.sampled_from(["follow", "unfollow"]),
)


_cuts = st.builds(cut, st.sampled_from(["a", "b"]), _lines | st.sampled_from(["x@example.com", "y@example.com"]))


def policies() -> st.SearchStrategy[MergePolicy]:
    """All ways in which the rules can be set."""
    return st.builds(
        MergePolicy,
        st.permutations(list(IdentifierKind)).map(tuple),
        st.sampled_from(IdentifierConflict),
        st.sampled_from(AttributeConflict),
        st.permutations(list(CanonicalCriterion)).map(tuple),
        st.integers(1, 4),
        st.sampled_from([(), ("unsubscribed",)]),
        st.sampled_from([2, 3, 1000]),
    )


def histories() -> st.SearchStrategy[list[EvidenceRecord]]:
    """Records of a few people who share, hand over and give up identifiers, with equal and missing times, and cuts."""
    named = st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["a", "b", "c"]),
            "email": st.sampled_from(["x@example.com", "y@example.com"]),
            "line": _lines,
        },
    ).filter(bool)
    said = st.fixed_dictionaries(
        {}, optional={"plan": st.sampled_from([None, "free", "gold"]), "unsubscribed": st.sampled_from([True, False])}
    )
    identifications = st.builds(lambda at, who, what: identify(at=at, **who, **what), _times, named, said)
    return st.lists(st.one_of(identifications, identifications, _follows, _cuts), max_size=12)
