"""Merge rule 5: newer claims supersede older ones, and null ends them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from line_core.identity.model import Correction, CorrectionKind, Identifier, IdentifierKind, Unlink
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.identity.results import MergeRule
from line_core.identity.rules import resolve
from tests.support.people import evidence_of, follow, identify, line_id

if TYPE_CHECKING:
    from line_core.identity.model import EvidenceRecord
    from line_core.identity.rules import Resolution

A = Identifier(IdentifierKind.ID, "", "a")
OLD = Identifier(IdentifierKind.EMAIL, "", "old@example.com")
L1 = Identifier(IdentifierKind.LINE_ID, "default", line_id(1))
MINUTE_2 = 1767225720000
GIVEN_UP = identify(at=1, id="a", email=OLD.value, line=1), identify(at=2, id="a", email="new@example.com", line=1)


def resolved(*records: EvidenceRecord, policy: MergePolicy | None = None) -> Resolution:
    """Resolve the records in every order."""
    orders = itertools.islice(itertools.permutations(records), 120)
    outcomes = [resolve(evidence_of(*order), policy or MergePolicy()) for order in orders]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


def rows(result: Resolution, *rules: MergeRule) -> set[tuple[str, str, str]]:
    """Return survivor, absorbed and identifier of the merges of some rules."""
    return {
        (str(merge.survivor), str(merge.absorbed), str(merge.identifier))
        for merge in result.merges
        if merge.rule in rules
    }


def test_a_superseded_email_stays_with_the_person_until_somebody_else_uses_it() -> None:
    found = resolved(*GIVEN_UP)
    assert found.profile_of(OLD).id == "a"
    assert rows(found, MergeRule.IDENTIFIER_SUPERSEDED) == {("id:a", str(OLD), "email:new@example.com")}
    used = resolved(*GIVEN_UP, identify(at=3, email=OLD.value, line=2))
    assert used.profile_of(OLD).id is None
    assert used.profile_of(A).canonical["default"].line_id == line_id(1)
    assert rows(used, MergeRule.IDENTIFIER_MOVED) == {(str(OLD), "id:a", str(OLD))}


@pytest.mark.parametrize("at", [0, 1])
def test_an_older_use_by_somebody_else_does_not_void_a_superseded_link(at: int) -> None:
    assert resolved(*GIVEN_UP, identify(at=at, email=OLD.value)).profile_of(OLD).id == "a"


def test_a_profile_of_line_is_no_use_of_a_line_id() -> None:
    moved = identify(at=1, id="a", line=1), identify(at=2, id="a", line=2)
    assert resolved(*moved, identify(at=3, line=1, name="Aoi"), follow(1, at=4)).profile_of(L1).id == "a"
    assert resolved(*moved, identify(at=3, email="x@example.com", line=1)).profile_of(L1).id is None


@pytest.mark.parametrize("conflict", IdentifierConflict)
def test_a_superseded_link_does_not_contest_a_link_in_force(conflict: IdentifierConflict) -> None:
    phones = identify(at=1, id="a", line=1), identify(at=5, id="a", line=2), identify(at=1, id="b", line=1)
    found = resolved(*phones, policy=MergePolicy(conflict=conflict))
    assert found.profile_of(L1).id == "b"
    assert found.rejected_identifiers == frozenset()


def test_a_line_id_is_written_to_as_soon_as_it_replaces_another_one() -> None:
    relinked = follow(1, at=1), identify(at=1, id="a", line=1), identify(at=2, id="a", line=2)
    assert resolved(*relinked).profile_of(A).canonical["default"].line_id == line_id(2)
    left = follow(2, at=3, type_="unfollow")
    assert resolved(*relinked, left).profile_of(A).canonical["default"].line_id == line_id(1)


def test_a_later_edit_of_a_row_does_not_bring_back_a_device_of_another_customer() -> None:
    first = identify(at=1, id="a", line=1, linked_at="2026-01-01T00:01:00Z")
    second = identify(at=2, id="b", line=1, linked_at="2026-01-01T00:02:00Z")
    edited = identify(at=3, id="a", line=1, linked_at="2026-01-01T00:01:00Z", city="Kobe")
    found = resolved(first, second, edited)
    assert found.profile_of(L1).id == "b"
    assert found.profile_of(A).attributes == {"city": "Kobe"}


def test_null_ends_the_older_links_of_its_kind() -> None:
    linked = identify(at=1, id="a", line=1, email=OLD.value), follow(1, at=1)
    unlink = Unlink(A, IdentifierKind.LINE_ID, "default", MINUTE_2)
    found = resolved(*linked, unlink)
    assert found.profile_of(L1).id is None
    assert found.profile_of(OLD).id == "a"
    assert rows(found, MergeRule.IDENTIFIER_UNLINKED) == {("id:a", str(L1), str(L1))}
    again = resolved(*linked, unlink, identify(at=3, id="a", line=1))
    assert again.profile_of(L1).id == "a"
    assert rows(again, MergeRule.IDENTIFIER_UNLINKED) == set()


def test_an_operator_keeps_a_link_or_detaches_an_identifier() -> None:
    used = (*GIVEN_UP, identify(at=3, email=OLD.value))
    kept = resolved(*used, Correction(CorrectionKind.KEEP_LINK, (A, OLD)))
    assert kept.profile_of(OLD).id == "a"
    assert rows(kept, MergeRule.IDENTIFIER_SUPERSEDED) == set()
    detached = resolved(*GIVEN_UP, Correction(CorrectionKind.DETACH, (OLD,)))
    assert detached.profile_of(OLD).identifiers == {OLD}


def test_moves_of_an_identifier_are_a_chain_from_the_last_claimant_to_the_present_profile() -> None:
    found = resolved(*(identify(at=at, id=name, line=1) for at, name in enumerate("abc", 1)))
    assert found.profile_of(L1).id == "c"
    assert rows(found, MergeRule.IDENTIFIER_MOVED) == {("id:c", "id:b", str(L1)), ("id:b", "id:a", str(L1))}


@pytest.mark.parametrize(("conflict", "owner"), [("latest", "y@example.com"), ("first", "x@example.com")])
def test_people_known_by_email_only_stay_apart_on_one_line_id(conflict: str, owner: str) -> None:
    kiosk = identify(at=1, email="x@example.com", line=1), identify(at=2, email="y@example.com", line=1)
    found = resolved(*kiosk, policy=MergePolicy(conflict=IdentifierConflict(conflict)))
    assert found.profile_of(L1).email == owner
    assert len(found.profiles) == 2
    contested = resolved(*kiosk, policy=MergePolicy(conflict=IdentifierConflict.REJECT))
    assert contested.profile_of(L1).is_contested
    assert len(contested.profiles) == 3


def test_a_line_id_that_a_record_of_the_key_names_is_preferred_to_one_of_a_weaker_identifier() -> None:
    own = identify(at=1, id="a", email=OLD.value, line=1)
    entered_by_a_stranger = identify(at=9, email=OLD.value, line=2)
    assert resolved(own, entered_by_a_stranger).profile_of(A).canonical["default"].line_id == line_id(1)
