"""A vocabulary for identity's tests: short ways to say who claims what, when (in minutes)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from line_core.identity.model import Claim, Evidence, Follow
from target_line.identity.records import parse_follow, parse_profile
from target_line.roles import Role

Record = Claim | Follow


def line_id(number: int) -> str:
    """A LINE ID that is easy to tell from others."""
    return f"U{number:032x}"


def minute(at: int) -> str:
    """The time that many minutes into a day."""
    return f"2026-01-01T{at // 60:02}:{at % 60:02}:00Z"


def identify(*, at: int = 0, line: int | None = None, **columns: Any) -> Record:
    """A `profiles` record; undated without `at`."""
    record = {**columns, "line_id": line_id(line) if line else None, "updated_at": minute(at) if at else None}
    return parse_profile(record, "default")


def follow(line: int, *, at: int, type_: str = "follow") -> Record:
    """A `follows` record."""
    record = {"line_id": line_id(line), "type": type_, "occurred_at": minute(at)}
    return parse_follow(record, "default", Role.FOLLOWS)


def evidence_of(*records: Record) -> Evidence:
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


def histories() -> st.SearchStrategy[list[Record]]:
    """Records of a few people who share, hand over and give up identifiers, with equal and missing times."""
    named = st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["a", "b", "c"]),
            "email": st.sampled_from(["x@example.com", "y@example.com"]),
            "line": _lines,
        },
    ).filter(bool)
    said = st.fixed_dictionaries({}, optional={"plan": st.sampled_from([None, "free", "gold"])})
    identifications = st.builds(lambda at, who, what: identify(at=at, **who, **what), _times, named, said)
    return st.lists(identifications | _follows, max_size=12)
