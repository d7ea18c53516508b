"""The identity store: batches, merges, rejects and queries."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.identity.results import MergeRule, RejectionReason
from line_core.identity.rules import resolve
from line_core.identity.sharing import newly_shared, split_evidence
from line_core.store import open_store
from line_core.store.tables import identity as tables
from line_core.store.tables.rejects import rejects
from target_line.identity.changes import IdentityChanges
from target_line.identity.cluster_queries import SHARED
from target_line.identity.repository import IdentityRepository
from tests.support import people
from tests.support.people import evidence_of, follow, identify, line_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.identity.model import EvidenceRecord
    from line_core.identity.results import Profile
    from line_core.store import Store


@pytest.fixture
def identity(store: Store) -> IdentityRepository:
    return IdentityRepository(store, MergePolicy())


def test_a_batch_reports_its_added_profiles_and_merges(identity: IdentityRepository) -> None:
    first = identity.ingest([follow(1, at=1), follow(2, at=1)])
    assert (first.profiles_added, dict(first.merges)) == (2, {})
    second = identity.ingest([identify(at=2, id="a", line=1), identify(at=2, id="a", line=2)])
    assert (second.profiles_added, dict(second.merges)) == (-1, {MergeRule.ANONYMOUS_IDENTIFIED: 2})


def test_the_same_batch_again_changes_nothing(identity: IdentityRepository, store: Store) -> None:
    batch = [follow(1, at=1), identify(at=2, id="a", line=1)]
    identity.ingest(batch)
    again = identity.ingest(batch)
    assert (again.profiles_added, dict(again.merges)) == (0, {})
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.merges)).scalar_one() == 1


def test_a_merge_is_stored_with_the_profiles_before_it(identity: IdentityRepository, store: Store) -> None:
    identity.ingest([identify(at=1, email="x@example.com", plan="free")])
    identity.ingest([identify(at=2, id="a", email="x@example.com", plan="gold")])
    with store.read() as connection:
        (row,) = connection.execute(select(tables.merges)).all()
    assert (row.rule, row.survivor, row.absorbed) == ("email_identified", "id:a", "email:x@example.com")
    assert row.before == [{"identifiers": ["email:x@example.com"], "attributes": {"plan": "free"}}]


def test_a_profile_is_found_by_each_of_its_identifiers_and_by_no_other(identity: IdentityRepository) -> None:
    identity.ingest([identify(at=1, id="a", email="x@example.com"), identify(at=2, id="a", line=1)])
    names = [
        Identifier(IdentifierKind.EMAIL, "", "x@example.com"),
        Identifier(IdentifierKind.LINE_ID, "default", line_id(1)),
    ]
    found = identity.find_profiles([*names, Identifier(IdentifierKind.ID, "", "nobody")])
    assert {name: found[name].id for name in found} == dict.fromkeys(names, "a")


def test_a_batch_with_more_rows_than_a_statement_allows_is_stored_completely(identity: IdentityRepository) -> None:
    batch = [identify(at=1, id=number, line=number + 1) for number in range(2500)]
    assert identity.ingest(batch).profiles_added == 2500
    assert identity.ingest(batch).profiles_added == 0
    assert sum(1 for _ in identity.profiles()) == 2500


def test_an_identifier_that_a_profile_claims_and_does_not_get_is_a_reject(store: Store) -> None:
    identity = IdentityRepository(store, MergePolicy(conflict=IdentifierConflict.REJECT, max_line_ids=1))
    batch = [
        identify(at=1, id="a", line=1),
        identify(at=1, id="b", line=1),
        identify(at=1, id="c", line=2),
        identify(at=2, id="c", line=3),
    ]
    assert identity.ingest(batch).rejections == {
        RejectionReason.AMBIGUOUS_IDENTITY: 2,
        RejectionReason.TOO_MANY_LINE_IDS: 1,
    }
    assert identity.ingest(batch).rejections == {}
    with store.read() as connection:
        found = connection.execute(select(rejects.c.reason, rejects.c.record)).all()
    assert sorted(found, key=str) == [
        ("ambiguous_identity", {"id": "a", "line_id": line_id(1)}),
        ("ambiguous_identity", {"id": "b", "line_id": line_id(1)}),
        ("too_many_line_ids", {"id": "c", "line_id": line_id(2)}),
    ]


def test_an_email_that_too_many_people_share_identifies_nobody_permanently(store: Store) -> None:
    identity = IdentityRepository(store, MergePolicy(max_people_per_email=3))
    shared = "info@example.com"
    changes = identity.ingest([identify(at=1, email=shared, plan="free"), identify(at=1, id="a", email=shared, line=1)])
    assert changes.profiles_added == 1
    changes = identity.ingest([identify(at=2, id="b", email=shared, line=2)])
    assert changes.rejections == {RejectionReason.SHARED_EMAIL: 1}
    changes = identity.ingest([identify(at=3, id="c", email=shared), identify(at=3, email=shared, plan="gold")])
    assert changes.profiles_added == 1
    found = sorted((profile.id or "", profile.email) for profile in identity.profiles())
    assert found == [("a", None), ("b", None), ("c", None)]
    email = Identifier(IdentifierKind.EMAIL, "", shared)
    assert identity.find_profiles([email]) == {}
    assert identity.evidence_of(email) is None
    with store.read() as connection:
        kept = connection.execute(select(rejects.c.record).where(rejects.c.reason == "shared_email")).scalars().all()
        clusters = connection.execute(select(func.count()).select_from(tables.clusters)).scalar_one()
    assert [record for record in kept if "plan" not in record] == [{"email": shared}]
    assert sorted((record["plan"], record["updated_at"]) for record in kept if "plan" in record) == [
        ("free", "2026-01-01T00:01:00+00:00"),
        ("gold", "2026-01-01T00:03:00+00:00"),
    ]
    assert clusters == 3, "persons without a common identifier are in one cluster"


def test_a_preview_returns_the_merges_and_changes_nothing(identity: IdentityRepository, store: Store) -> None:
    identity.ingest([follow(1, at=1)])
    (merge,) = identity.preview([identify(at=2, id="a", line=1)])
    assert (merge.rule, str(merge.survivor)) == (MergeRule.ANONYMOUS_IDENTIFIED, "id:a")
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.merges)).scalar_one() == 0
    assert [profile.id for profile in identity.profiles()] == [None]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store for all examples of a property test; each example deletes the rows of the one before."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as directory, open_store(f"sqlite:///{directory}/store.db") as store:
            yield store
    else:
        with open_store(request.getfixturevalue("postgres").url("postgres")) as store:
            yield store


def empty(store: Store) -> None:
    with store.write() as connection:
        for table in (tables.identifiers, tables.clusters, tables.merges):
            connection.execute(delete(table))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(people.histories(), people.policies(), st.data())
def test_profiles_do_not_depend_on_order_and_batches(
    shared_store: Store,
    history: list[EvidenceRecord],
    policy: MergePolicy,
    data: st.DataObject,
) -> None:
    empty(shared_store)
    identity = IdentityRepository(shared_store, policy)
    shuffled = data.draw(st.permutations([*history, *history[:3]]))
    while shuffled:
        size = data.draw(st.integers(min_value=1, max_value=5))
        batch, shuffled = shuffled[:size], shuffled[size:]
        identity.ingest(batch)
    with shared_store.read() as connection:
        clusters = select(tables.identifiers.c.cluster_id).distinct()
        missing = connection.execute(clusters.except_(select(tables.clusters.c.cluster_id))).scalars().all()
    assert set(missing) <= {SHARED}, "identifiers refer to clusters that do not exist"
    evidence = evidence_of(*history)
    evidence.shared = newly_shared(evidence, policy)
    expected = [profile for part in split_evidence(evidence) for profile in resolve(part, policy).profiles]
    assert sorted(identity.profiles(), key=by_key) == sorted(expected, key=by_key)
    named = {name: profile for profile in expected for name in profile.identifiers}
    assert identity.find_profiles(evidence.identifiers()) == named


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(people.histories(), people.policies(), st.data())
def test_counts_do_not_depend_on_how_the_records_are_divided_into_runs(
    shared_store: Store,
    history: list[EvidenceRecord],
    policy: MergePolicy,
    data: st.DataObject,
) -> None:
    totals = []
    for _ in range(2):
        empty(shared_store)
        identity = IdentityRepository(shared_store, policy)
        total = IdentityChanges()
        rest = data.draw(st.permutations(history))
        while rest:
            size = data.draw(st.integers(min_value=1, max_value=len(rest)))
            total.add(identity.ingest(rest[:size]))
            rest = rest[size:]
        totals.append((total.profiles_created, total.profiles_merged, total.anonymous, total.identified))
        assert total.profiles_created - total.profiles_merged == total.profiles_added == len(list(identity.profiles()))
    assert totals[0] == totals[1]


def test_a_merge_has_one_row_whatever_its_survivor_is_called(identity: IdentityRepository, store: Store) -> None:
    records = [follow(1, at=1), identify(at=2, email="x@example.com", line=1)]
    runs = [identity.ingest([record]) for record in records]
    runs.append(identity.ingest([identify(at=3, id="a", email="x@example.com")]))
    assert [(run.profiles_created, run.profiles_merged) for run in runs] == [(1, 0), (1, 1), (1, 1)]
    with store.read() as connection:
        rows = connection.execute(select(tables.merges.c.survivor, tables.merges.c.absorbed)).all()
    assert [tuple(row) for row in rows] == [
        ("email:x@example.com", f"line_id:default/{line_id(1)}"),
        ("id:a", "email:x@example.com"),
    ]


def by_key(profile: Profile) -> Identifier:
    return profile.key
