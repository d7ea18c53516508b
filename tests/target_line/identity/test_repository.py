"""The identity store: batches, merges, rejects and queries."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select

from line_core.identity.model import UNDATED, DatedValue, Identifier, IdentifierKind, RefusedOptOut
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.identity.results import MergeRule, RejectionReason
from line_core.identity.rules import resolve
from line_core.identity.sharing import newly_shared, split_evidence
from line_core.store import open_store
from line_core.store.saved_policy import has_lower_bounds, save_policy
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


def test_every_kind_of_identifier_that_is_claimed_with_too_many_others_identifies_nobody(store: Store) -> None:
    identity = IdentityRepository(store, MergePolicy(max_people_per_line_id=2, max_identifiers_per_id=2))
    tablet = [identify(at=1, id=name, line=9) for name in ("a", "b", "c")]
    guest = [identify(at=1, id="guest", email=f"{name}@example.com") for name in "xyz"]
    assert identity.ingest([*tablet, *guest]).rejections == {
        RejectionReason.SHARED_LINE_ID: 1,
        RejectionReason.SHARED_ID: 1,
    }
    identity.ingest([follow(9, at=2), identify(at=2, id="a", city="Osaka", line=9), identify(at=2, id="guest")])
    found = {str(profile.key): profile for profile in identity.profiles()}
    assert sorted(found) == [
        "email:x@example.com",
        "email:y@example.com",
        "email:z@example.com",
        "id:a",
        "id:b",
        "id:c",
    ]
    assert found["id:a"].attributes == {"city": "Osaka"}
    assert found["id:a"].line_accounts == ()
    shared = Identifier(IdentifierKind.LINE_ID, "default", line_id(9)), Identifier(IdentifierKind.ID, "", "guest")
    assert identity.find_recipients(shared).shared == set(shared)
    with store.read() as connection:
        counts = select(rejects.c.reason, func.count()).group_by(rejects.c.reason)
        assert dict(connection.execute(counts).all()) == {"shared_line_id": 2, "shared_id": 2}


@pytest.mark.parametrize("number", [1, 1500])
def test_a_lowered_bound_applies_to_the_stored_evidence(store: Store, number: int) -> None:
    IdentityRepository(store, MergePolicy()).ingest(
        [
            *(
                identify(at=1, id=f"{group}-{name}", email=f"info{group}@example.com")
                for group in range(2)
                for name in "abc"
            ),
            *(identify(at=1, id=f"x-{other}", line=other + 1) for other in range(number)),
        ]
    )
    lowered = IdentityRepository(store, MergePolicy(max_people_per_email=2))
    assert lowered.apply_bounds().rejections == {RejectionReason.SHARED_EMAIL: 2}
    assert lowered.apply_bounds().rejections == {}
    found = [profile.email for profile in IdentityRepository(store, MergePolicy()).profiles()]
    assert found == [None] * (number + 6), "a raised bound does not undo it"


def test_bounds_are_compared_with_those_that_the_store_was_checked_with(store: Store) -> None:
    assert not has_lower_bounds(store, MergePolicy()), "a new store has no evidence"
    old = {name: value for name, value in asdict(MergePolicy()).items() if name != "max_people_per_line_id"}
    with store.write() as connection:
        connection.execute(
            insert(tables.policies).values(policy_id=1, policy=msgspec.to_builtins(old), saved_at=datetime.now(UTC))
        )
    assert has_lower_bounds(store, MergePolicy()), "an older version had no bound for LINE IDs"
    assert not save_policy(store, MergePolicy()), "its rules are the same"
    assert not has_lower_bounds(store, MergePolicy())
    assert has_lower_bounds(store, MergePolicy(max_identifiers_per_id=99))
    assert not has_lower_bounds(store, MergePolicy(max_identifiers_per_id=101))


def test_a_rejected_opt_out_without_a_time_counts_as_of_the_newest_record_of_its_identifiers(
    identity: IdentityRepository,
) -> None:
    name = Identifier(IdentifierKind.ID, "", "a")
    refused = RefusedOptOut((name,), {"unsubscribed": DatedValue(UNDATED, "yes"), "blocked": DatedValue(UNDATED, "no")})
    identity.ingest([identify(at=2, id="a", unsubscribed=False)])
    identity.ingest([refused])
    identity.ingest([identify(at=1, id="a", unsubscribed=False)])
    assert identity.find_profiles([name])[name].attributes == {"unsubscribed": "yes"}
    identity.ingest([identify(at=3, id="a", unsubscribed=False)])
    assert identity.find_profiles([name])[name].attributes == {"unsubscribed": False}


def test_a_rejected_opt_out_of_an_unknown_line_id_suppresses_messages_to_it(identity: IdentityRepository) -> None:
    name = Identifier(IdentifierKind.LINE_ID, "default", line_id(1))
    changes = identity.ingest([RefusedOptOut((name,), {"unsubscribed": DatedValue(UNDATED, True)})])
    assert changes.profiles_added == 0
    assert list(identity.profiles()) == []
    assert identity.find_recipients([name]).profiles[name].attributes == {"unsubscribed": True}


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
    resolutions = [resolve(part, policy) for part in split_evidence(evidence)]
    expected = [profile for resolution in resolutions for profile in resolution.profiles]
    assert sorted(identity.profiles(), key=by_key) == sorted(expected, key=by_key)
    opted_out = [profile for resolution in resolutions for profile in resolution.opted_out]
    named = {name: profile for profile in (*expected, *opted_out) for name in profile.identifiers}
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
