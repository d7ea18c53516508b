"""Short constructors of identity evidence, and Hypothesis strategies for it. Times are minutes of one day."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from line_core.identity.model import Correction, Evidence, EvidenceRecord, Identifier, IdentifierKind
from line_core.identity.policy import AttributeConflict, CanonicalCriterion, IdentifierConflict, MergePolicy
from target_line.identity.identifiers import IdentifierReader
from target_line.identity.records import EvidenceParser
from target_line.intake.roles import Role


def line_id(number: int) -> str:
    """Return the LINE ID of a number."""
    return f"U{number:032x}"


def minute(at: int) -> str:
    """Return the time that many minutes after midnight."""
    return f"2026-01-01T{at // 60:02}:{at % 60:02}:00Z"


def evidence_parser(**settings: Any) -> EvidenceParser:
    """Return a parser of records with the default settings and the given ones."""
    defaults: dict[str, Any] = {
        "identifiers": IdentifierReader("default"),
        "rank": MergePolicy().rank,
        "opt_out_attributes": ("unsubscribed",),
    }
    return EvidenceParser(**{**defaults, **settings})


def identify(*, at: int = 0, line: int | None = None, **columns: Any) -> EvidenceRecord:
    """Return the claim of a `profiles` record; undated without `at`."""
    record = {**columns, "line_id": line_id(line) if line else None, "updated_at": minute(at) if at else None}
    return evidence_parser().parse_profile(record).records[0]


def follow(line: int, *, at: int, type_: str = "follow", channel: str = "main") -> EvidenceRecord:
    """Return the evidence of a `follows` record."""
    record = {"line_id": line_id(line), "type": type_, "occurred_at": minute(at)}
    return evidence_parser(channel=channel).parse_follow(record, Role.FOLLOWS).records[0]


def separation(one: str, other: str | int) -> Correction:
    """Return the correction that separates an id from an email, or from the LINE ID of a number."""
    if isinstance(other, int):
        separated = Identifier(IdentifierKind.LINE_ID, "default", line_id(other))
    else:
        separated = Identifier(IdentifierKind.EMAIL, "", other)
    return Correction.separate(Identifier(IdentifierKind.ID, "", one), separated)


def evidence_of(*records: EvidenceRecord) -> Evidence:
    """Return the evidence that the records form."""
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


_emails = st.sampled_from(["x@example.com", "y@example.com"])
_separations = st.builds(separation, st.sampled_from(["a", "b"]), _lines | _emails)


def policies() -> st.SearchStrategy[MergePolicy]:
    """Generate merge policies with all combinations of settings."""
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
    """Generate records of few people with shared and moved identifiers, equal and missing times, and separations."""
    named = st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["a", "b", "c"]),
            "email": _emails,
            "line": _lines,
        },
    ).filter(bool)
    attributes = st.fixed_dictionaries(
        {}, optional={"plan": st.sampled_from([None, "free", "gold"]), "unsubscribed": st.sampled_from([True, False])}
    )
    claims = st.builds(lambda at, names, values: identify(at=at, **names, **values), _times, named, attributes)
    return st.lists(st.one_of(claims, claims, _follows, _separations), max_size=12)
