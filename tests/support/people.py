"""Short constructors of identity evidence, and Hypothesis strategies for it. Times are minutes of one day."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from line_core.identity.model import (
    Correction,
    CorrectionKind,
    DatedValue,
    Evidence,
    EvidenceRecord,
    Identifier,
    IdentifierKind,
    RefusedOptOut,
    Unlink,
)
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
_ids = st.sampled_from(["a", "b", "c"])
_emails = st.sampled_from(["x@example.com", "y@example.com"])
_opt_outs = st.sampled_from([True, False, "yes", "no"])
_follows = st.builds(
    lambda line, at, type_, channel: follow(line, at=at, type_=type_, channel=channel),
    _lines,
    _times,
    st.sampled_from(["follow", "unfollow"]),
    st.sampled_from(["main", "shop"]),
)


def _claims() -> st.SearchStrategy[EvidenceRecord]:
    named = st.fixed_dictionaries({}, optional={"id": _ids, "email": _emails, "line": _lines}).filter(bool)
    attributes = st.fixed_dictionaries(
        {},
        optional={
            "plan": st.sampled_from([None, "free", "gold", 1, 1.0, True]),
            "unsubscribed": _opt_outs,
            "linked_at": st.integers(1, 5).map(minute),
        },
    )
    return st.builds(lambda at, names, values: identify(at=at, **names, **values), _times, named, attributes)


def _identifiers() -> st.SearchStrategy[Identifier]:
    return st.one_of(
        _ids.map(lambda id_: Identifier(IdentifierKind.ID, "", id_)),
        _emails.map(lambda email: Identifier(IdentifierKind.EMAIL, "", email)),
        _lines.map(lambda number: Identifier(IdentifierKind.LINE_ID, "default", line_id(number))),
    )


def _unlinks() -> st.SearchStrategy[EvidenceRecord]:
    kinds = st.sampled_from([(IdentifierKind.EMAIL, ""), (IdentifierKind.LINE_ID, "default")])
    return st.builds(
        lambda identifier, kind, at: Unlink(identifier, kind[0], kind[1], at), _identifiers(), kinds, _at()
    )


def _at() -> st.SearchStrategy[int]:
    return st.integers(1, 5).map(lambda at: 1767225600000 + at * 60_000)


def _refused_opt_outs() -> st.SearchStrategy[EvidenceRecord]:
    return st.builds(
        lambda names, at, value: RefusedOptOut(tuple(sorted(names)), {"unsubscribed": DatedValue(at, value)}),
        st.sets(_identifiers(), min_size=1, max_size=2),
        _at(),
        _opt_outs,
    )


def corrections() -> st.SearchStrategy[Correction]:
    """Generate corrections, except withdrawals."""
    pairs = st.tuples(_identifiers(), _identifiers()).filter(lambda pair: pair[0] < pair[1])
    return st.one_of(
        pairs.map(lambda pair: Correction.separate(*pair)),
        pairs.map(lambda pair: Correction(CorrectionKind.KEEP_LINK, pair)),
        _identifiers().map(lambda identifier: Correction(CorrectionKind.DETACH, (identifier,))),
    )


def policies() -> st.SearchStrategy[MergePolicy]:
    """Generate merge policies with all combinations of settings."""
    bounds = st.sampled_from([2, 3, 1000])
    return st.builds(
        MergePolicy,
        st.permutations(list(IdentifierKind)).map(tuple),
        st.sampled_from(IdentifierConflict),
        st.sampled_from(AttributeConflict),
        st.permutations(list(CanonicalCriterion)).map(tuple),
        st.integers(1, 4),
        st.sampled_from([(), ("unsubscribed",)]),
        bounds,
        bounds,
        bounds,
    )


def histories() -> st.SearchStrategy[list[EvidenceRecord]]:
    """Generate evidence of all kinds about few people, with shared and moved identifiers, equal and missing times."""
    claims = _claims()
    others = st.one_of(_unlinks(), _refused_opt_outs(), corrections())
    return st.lists(st.one_of(claims, claims, claims, _follows, others), max_size=14)
