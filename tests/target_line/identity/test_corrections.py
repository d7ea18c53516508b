"""Corrections of an operator: unmerge, detach, withdraw, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from line_core.identity.model import UNDATED, Identifier, IdentifierKind, Unlink
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.store.tables import identity as tables
from target_line.admin.store_check import check_store
from target_line.erasure.person import erase_person
from target_line.identity.correction_plans import CorrectionError
from target_line.identity.corrections import IdentityCorrections
from target_line.identity.repository import IdentityRepository
from tests.support.people import follow, identify, line_id

if TYPE_CHECKING:
    from line_core.identity.model import EvidenceRecord
    from line_core.store import Store

MINUTE = 60_000
MIDNIGHT = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


def id_(value: str) -> Identifier:
    return Identifier(IdentifierKind.ID, "", value)


def line(number: int) -> Identifier:
    return Identifier(IdentifierKind.LINE_ID, "default", line_id(number))


class People:
    """A store with records, and short names for what the tests look at."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.repository = IdentityRepository(store, MergePolicy())
        self.corrections = IdentityCorrections(store, MergePolicy())

    def ingest(self, *records: EvidenceRecord) -> None:
        self.repository.ingest(records)

    def rows(self) -> list[tuple[int, str, bool]]:
        """Number, rule and end of each row in `merges`."""
        table = tables.merges.c
        with self.store.read() as connection:
            query = select(table.merge_id, table.rule, table.undone_at).order_by(table.merge_id)
            return [(row.merge_id, row.rule, row.undone_at is not None) for row in connection.execute(query)]

    def of_line(self, number: int) -> str:
        """The key of the profile that has a LINE ID."""
        return str(self.repository.find_profiles([line(number)])[line(number)].key)

    def profiles(self) -> list[Any]:
        assert list(check_store(self.store)) == []
        return sorted(self.repository.profiles(), key=lambda profile: profile.key)


@pytest.fixture
def people(store: Store) -> People:
    return People(store)


ANONYMOUS_THEN_KNOWN = ([follow(1, at=1)], [identify(at=2, id="a", line=1, plan="gold")])


def test_an_undone_merge_stays_undone_until_it_is_taken_back(people: People) -> None:
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    merged = people.profiles()
    plan = people.corrections.plan_unmerge(1)
    effect = people.corrections.effect(plan)
    assert [str(profile.key) for profile in effect.before] == ["id:a"]
    assert [str(profile.key) for profile in effect.after] == ["id:a", str(line(1))]
    assert people.profiles() == merged, "a plan changes nothing"
    applied = people.corrections.apply(plan)
    assert (applied.number, applied.changes.profiles_added, applied.changes.profiles_merged) == (2, 1, -1)
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    assert people.profiles() == effect.after
    assert people.rows() == [(1, "anonymous_identified", True), (2, "unmerged", False)]
    people.corrections.apply(people.corrections.plan_undo(2))
    assert people.profiles() == merged
    assert people.rows() == [(1, "anonymous_identified", False), (2, "unmerged", True)]


def test_a_reader_of_changed_rows_sees_that_a_correction_was_taken_back(people: People, store: Store) -> None:
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    changed = []
    for plan in (people.corrections.plan_unmerge, people.corrections.plan_undo):
        people.corrections.apply(plan(1))
        with store.read() as connection:
            row = connection.execute(select(tables.merges).where(tables.merges.c.merge_id == 1)).one()
        changed.append((row.undone_at is None, row.changed_at))
    (undone, first), (again, second) = changed
    assert (undone, again) == (False, True)
    assert first < second


def test_a_correction_is_taken_back_by_the_number_of_what_it_undid(people: People) -> None:
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    merged = people.profiles()
    for _ in range(2):
        people.corrections.apply(people.corrections.plan_unmerge(1))
        people.corrections.apply(people.corrections.plan_undo(1))
        assert people.profiles() == merged
    assert people.rows() == [(1, "anonymous_identified", False), (2, "unmerged", True), (3, "unmerged", True)]


def test_an_unmerge_of_the_first_version_is_taken_back(people: People, store: Store) -> None:
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    merged = people.profiles()
    people.corrections.apply(people.corrections.plan_unmerge(1))
    with store.write() as connection:
        connection.execute(tables.merges.update().values(correction=None))
    people.corrections.apply(people.corrections.plan_undo(1))
    assert people.profiles() == merged
    assert people.rows() == [(1, "anonymous_identified", False), (2, "unmerged", True)]


def test_only_what_is_in_force_can_be_corrected(people: People) -> None:
    for batch in ANONYMOUS_THEN_KNOWN:
        people.ingest(*batch)
    for number in (0, 2):
        with pytest.raises(CorrectionError, match="there is no merge"):
            people.corrections.plan_unmerge(number)
    with pytest.raises(CorrectionError, match="merge 1 is not undone"):
        people.corrections.plan_undo(1)
    plan = people.corrections.plan_unmerge(1)
    people.corrections.apply(plan)
    with pytest.raises(CorrectionError, match="meanwhile"):
        people.corrections.apply(plan)
    with pytest.raises(CorrectionError, match="undone already"):
        people.corrections.plan_unmerge(1)
    with pytest.raises(CorrectionError, match="`target-line-admin undo 2` takes it back"):
        people.corrections.plan_unmerge(2)
    end = people.corrections.plan_undo(2)
    people.corrections.apply(end)
    with pytest.raises(CorrectionError, match="meanwhile"):
        people.corrections.apply(end)
    with pytest.raises(CorrectionError, match="taken back already"):
        people.corrections.plan_undo(2)


@pytest.mark.parametrize("conflict", [IdentifierConflict.LATEST, IdentifierConflict.FIRST])
def test_undoing_a_move_gives_the_identifier_back_to_the_one_the_row_names(
    store: Store, conflict: IdentifierConflict
) -> None:
    people = People(store)
    policy = MergePolicy(conflict=conflict)
    people.repository, people.corrections = IdentityRepository(store, policy), IdentityCorrections(store, policy)
    claims = [identify(at=at, id=name, line=1) for at, name in enumerate(("a", "b", "c"), start=1)]
    people.ingest(*claims)
    with store.read() as connection:
        table = tables.merges.c
        moves = connection.execute(
            select(table.merge_id, table.absorbed, table.survivor).order_by(table.merge_id)
        ).all()
    owner = people.of_line(1)
    (last,) = [move for move in moves if move.survivor == owner]
    (first,) = [move for move in moves if move.survivor != owner]
    assert first.survivor == last.absorbed
    for move in (last, first):
        assert people.of_line(1) == move.survivor
        people.corrections.apply(people.corrections.plan_unmerge(move.merge_id))
        assert people.of_line(1) == move.absorbed
    people.ingest(*claims)
    assert people.of_line(1) == first.absorbed
    for move in (first, last):
        people.corrections.apply(people.corrections.plan_undo(move.merge_id))
        assert people.of_line(1) == move.survivor


def test_a_superseded_email_is_kept_when_the_supersession_is_undone(people: People) -> None:
    people.ingest(identify(at=1, id="a", email="old@example.com"))
    people.ingest(identify(at=2, id="a", email="new@example.com"))
    people.ingest(identify(at=3, email="old@example.com", line=1))
    assert people.of_line(1) == "email:old@example.com"
    (number,) = [number for number, rule, _ in people.rows() if rule == "identifier_superseded"]
    applied = people.corrections.apply(people.corrections.plan_unmerge(number))
    assert people.of_line(1) == "id:a"
    assert (applied.number, "link_kept", False) in people.rows()
    people.corrections.apply(people.corrections.plan_undo(number))
    assert people.of_line(1) == "email:old@example.com"


def test_an_unlinked_line_id_is_kept_when_the_end_of_the_link_is_undone(people: People) -> None:
    people.ingest(identify(at=1, id="a", line=1))
    people.ingest(Unlink(id_("a"), IdentifierKind.LINE_ID, "default", MIDNIGHT + 2 * MINUTE))
    assert people.of_line(1) == str(line(1))
    (number,) = [number for number, rule, _ in people.rows() if rule == "identifier_unlinked"]
    people.corrections.apply(people.corrections.plan_unmerge(number))
    assert people.of_line(1) == "id:a"
    people.corrections.apply(people.corrections.plan_undo(number))
    assert people.of_line(1) == str(line(1))


def test_an_identifier_is_detached_from_everything_until_it_is_taken_back(people: People) -> None:
    emails = [f"{name}@example.com" for name in ("ann", "ben", "cho", "dai")]
    records = [identify(at=at, id=email[:3], email=email, line=1) for at, email in enumerate(emails, start=1)]
    people.ingest(*records)
    before = people.profiles()
    applied = people.corrections.apply(people.corrections.plan_detach(line(1)))
    people.ingest(*records)
    assert people.of_line(1) == str(line(1))
    assert all(not profile.line_accounts for profile in people.profiles() if profile.id)
    with pytest.raises(CorrectionError, match="detached already"):
        people.corrections.plan_detach(line(1))
    with pytest.raises(CorrectionError, match="no profile in the store has id:nobody"):
        people.corrections.plan_detach(id_("nobody"))
    assert applied.number is not None
    rows = len(people.rows())
    people.corrections.apply(people.corrections.plan_undo(applied.number))
    assert people.profiles() == before
    assert len(people.rows()) == rows, "merges that are in force again have their rows already"


def test_a_withdrawn_record_does_not_count_until_it_is_taken_back(people: People) -> None:
    wrong = identify(at=500, id="a", line=1, plan="wrong", unsubscribed=True)
    people.ingest(identify(at=1, id="a", line=1, plan="free", city="Osaka"), wrong)
    before = people.profiles()
    at = MIDNIGHT + 500 * MINUTE
    with pytest.raises(CorrectionError, match="their times are: 2026-01-01T00:01:00"):
        people.corrections.plan_withdraw([id_("a"), line(1)], at + 1)
    with pytest.raises(CorrectionError, match="no record names exactly these identifiers"):
        people.corrections.plan_withdraw([id_("a")], at)
    applied = people.corrections.apply(people.corrections.plan_withdraw([line(1), id_("a")], at))
    people.ingest(wrong)
    (profile,) = people.profiles()
    assert profile.attributes == {"city": "Osaka"}, "the value that the wrong one replaced is not in the store"
    people.ingest(identify(at=1, id="a", line=1, plan="free", city="Osaka"))
    (profile,) = people.profiles()
    assert profile.attributes == {"city": "Osaka", "plan": "free"}
    assert applied.number is not None
    people.corrections.apply(people.corrections.plan_undo(applied.number))
    assert people.profiles() == before


def test_the_only_record_of_a_person_is_withdrawn(people: People) -> None:
    people.ingest(identify(id="a", email="x@example.com"))
    applied = people.corrections.apply(
        people.corrections.plan_withdraw([id_("a"), Identifier(IdentifierKind.EMAIL, "", "x@example.com")], UNDATED)
    )
    assert people.profiles() == []
    assert applied.number is not None
    people.corrections.apply(people.corrections.plan_undo(applied.number))
    assert [profile.id for profile in people.profiles()] == ["a"]


def test_a_correction_that_was_planned_before_an_erasure_stores_no_erased_identifier(
    people: People, store: Store
) -> None:
    people.ingest(identify(at=1, id="a", line=1), identify(at=1, id="b"))
    plans = [
        people.corrections.plan_detach(line(1)),
        people.corrections.plan_withdraw([id_("a"), line(1)], MIDNIGHT + MINUTE),
    ]
    erase_person(store, MergePolicy(), id_("a"))
    for plan in plans:
        with pytest.raises(CorrectionError, match="erased an identifier meanwhile"):
            people.corrections.apply(plan)
    assert [profile.id for profile in people.profiles()] == ["b"]
