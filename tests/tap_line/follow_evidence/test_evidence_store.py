"""Follow evidence in the store, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from line_core.follow_state import FollowState
from line_core.store import open_store
from line_core.store.tables.audience import findings
from tap_line.follow_evidence import evidence_sql
from tap_line.follow_evidence.contacts_sql import ProfileChecks
from tap_line.follow_evidence.evidence_sql import EvidenceCursor, changed_people, read_friendships
from tap_line.follow_evidence.evidence_store import FollowEvidenceStore
from tap_line.follow_evidence.friendship import EvidenceSource
from tap_line.queries.inbox import inbox_channels
from tests.support import inbox_events
from tests.support.inbox_events import event, minute

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store
    from tap_line.follow_evidence.friendship import Friendship

ANN, BOB, CAT = (f"U{number:032x}" for number in (1, 2, 3))


def receive(store: Store, *sent: tuple[int, str, str], channel: str = "main") -> None:
    """Store webhook events in the inbox, each given as minute, LINE ID and event type."""
    inbox_events.receive(store, (event(at, kind, line_id) for at, line_id, kind in sent), channel=channel)


@pytest.fixture
def evidence_store(store: Store) -> FollowEvidenceStore:
    return FollowEvidenceStore(store, "main")


def friendship_of(store: Store, line_id: str) -> Friendship:
    with store.read() as connection:
        return read_friendships(connection, "main", [line_id])[line_id]


def last_finding_id(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.max(findings.c.finding_id))) or 0


def test_followers_come_from_events_and_from_lists(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (2, BOB, "follow"), (3, BOB, "unfollow"), (4, CAT, "message"))
    assert [line_id for line_id, _ in evidence_store.followers()] == [ANN]
    evidence_store.record_listed([ANN, CAT], minute(10))
    assert [(line_id, friendship.source) for line_id, friendship in evidence_store.followers()] == [
        (ANN, EvidenceSource.WEBHOOK),
        (CAT, EvidenceSource.FOLLOWERS_API),
    ]


def test_people_missing_in_a_complete_list_are_unfollowed(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (1, BOB, "follow"))
    evidence_store.record_listed([ANN, BOB, CAT], minute(10))
    evidence_store.record_complete_list(minute(9))
    evidence_store.record_listed([ANN], minute(20))
    assert evidence_store.record_complete_list(minute(19)) == 2
    assert friendship_of(store, ANN).state is FollowState.FOLLOWING
    assert friendship_of(store, BOB).state is friendship_of(store, CAT).state is FollowState.UNFOLLOWED
    assert friendship_of(store, BOB).source is EvidenceSource.FOLLOWERS_API
    assert evidence_store.record_complete_list(minute(19)) == 0


def test_a_person_who_follows_during_the_listing_is_not_missing(
    store: Store, evidence_store: FollowEvidenceStore
) -> None:
    receive(store, (15, BOB, "follow"))
    evidence_store.record_listed([ANN], minute(11))
    assert evidence_store.record_complete_list(minute(10)) == 0
    assert friendship_of(store, BOB).state is FollowState.FOLLOWING


def test_a_newer_list_overrides_an_unfollow_event(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "unfollow"))
    evidence_store.record_listed([ANN], minute(10))
    assert friendship_of(store, ANN).state is FollowState.FOLLOWING
    receive(store, (5, ANN, "follow"))
    assert friendship_of(store, ANN).state is FollowState.FOLLOWING


def test_a_late_event_does_not_override_a_newer_list(store: Store, evidence_store: FollowEvidenceStore) -> None:
    evidence_store.record_listed([ANN], minute(10))
    evidence_store.record_listed([ANN], minute(20))
    receive(store, (15, ANN, "unfollow"))
    assert friendship_of(store, ANN).state is FollowState.FOLLOWING


def test_only_state_changes_are_stored_as_findings(store: Store, evidence_store: FollowEvidenceStore) -> None:
    for day in range(5):
        evidence_store.record_listed([ANN, BOB], minute(10 * day))
        evidence_store.record_profile_checks({ANN: True, BOB: True}, minute(10 * day + 1), "p")
    assert last_finding_id(store) == 2
    evidence_store.record_profile_checks({ANN: False}, minute(100), "p")
    assert last_finding_id(store) == 3
    assert friendship_of(store, ANN).source is EvidenceSource.PROFILE_CHECK


def test_changed_people_are_returned_once(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (2, ANN, "unfollow"), (3, BOB, "message"), (4, BOB, "follow"))
    evidence_store.record_listed([CAT], minute(10))
    with store.read() as connection:
        people, cursor = changed_people(connection, EvidenceCursor())
        assert people == [("main", ANN), ("main", BOB), ("main", CAT)]
        assert changed_people(connection, cursor) == ([], cursor)
    receive(store, (20, CAT, "unfollow"))
    with store.read() as connection:
        assert changed_people(connection, cursor)[0] == [("main", CAT)]


def test_changed_people_are_returned_in_pages(store: Store) -> None:
    receive(store, *((at, f"U{at:032x}", "follow") for at in range(25)))
    found, cursor = [], EvidenceCursor()
    for _ in range(4):
        with store.read() as connection:
            people, cursor = changed_people(connection, cursor, limit=10)
        found += people
    assert [line_id for _, line_id in found] == [f"U{at:032x}" for at in range(25)]


def test_senders_of_events_become_contacts(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, BOB, "message"), (2, ANN, "postback"), (3, BOB, "message"), (4, "LU1-U2", "message"))
    receive(store, (5, CAT, "message"), channel="other")
    evidence_store.add_inbox_senders()
    assert evidence_store.contacts_after("") == [ANN, BOB]
    assert evidence_store.contacts_after(ANN) == [BOB]
    assert evidence_store.count_contacts(listed=False) == 2
    evidence_store.record_listed([ANN], minute(10))
    assert evidence_store.contacts_after("", not_listed_since=minute(10)) == [BOB]
    assert evidence_store.contacts_after("", not_listed_since=minute(11)) == [ANN, BOB]


def test_profile_checks_belong_to_one_pipeline_and_time_range(evidence_store: FollowEvidenceStore) -> None:
    evidence_store.record_profile_checks({ANN: True}, minute(10), "mine")
    evidence_store.record_profile_checks({BOB: False}, minute(20), "mine")
    evidence_store.record_profile_checks({CAT: True}, minute(10), "other")
    line_ids = [ANN, BOB, CAT]
    assert evidence_store.checked_people(line_ids, ProfileChecks("mine", after=minute(5), until=minute(20))) == {
        ANN,
        BOB,
    }
    assert evidence_store.checked_people(line_ids, ProfileChecks("mine", after=minute(5), until=minute(15))) == {ANN}
    assert evidence_store.checked_people(line_ids, ProfileChecks("mine", after=minute(12), until=minute(30))) == {BOB}


def test_evidence_of_other_channels_is_ignored(store: Store, evidence_store: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), channel="other")
    assert list(evidence_store.followers()) == []
    assert [line_id for line_id, _ in FollowEvidenceStore(store, "other").followers()] == [ANN]
    with store.read() as connection:
        assert inbox_channels(connection) == ["other"]


@pytest.mark.parametrize("seed", range(12))
def test_the_shortcut_for_known_followers_does_not_change_results(tmp_path: Path, seed: int) -> None:
    def record_evidence(store: Store) -> tuple[list[tuple[str, object]], int]:
        """Record ten random events, lists or profile checks about three people."""
        seeded_random = random.Random(seed)
        evidence_store = FollowEvidenceStore(store, "main")
        for step in range(1, 11):
            line_ids = seeded_random.sample([ANN, BOB, CAT], seeded_random.randint(1, 3))
            at = step * 10 + seeded_random.choice([-15, 0, 0])
            match seeded_random.choice(["event", "list", "complete", "check"]):
                case "event":
                    receive(store, *((at, each, seeded_random.choice(["follow", "unfollow"])) for each in line_ids))
                case "list":
                    evidence_store.record_listed(line_ids, minute(at))
                case "complete":
                    evidence_store.record_complete_list(minute(at))
                case _:
                    is_reachable = {each: seeded_random.random() < 0.7 for each in line_ids}
                    evidence_store.record_profile_checks(is_reachable, minute(at), "p")
        with store.read() as connection:
            friendships = read_friendships(connection, "main", [ANN, BOB, CAT])
        return sorted(friendships.items()), last_finding_id(store)

    results = []
    for name, has_shortcut in (("with", True), ("without", False)):
        with open_store(f"sqlite:///{tmp_path / name}.db") as store, pytest.MonkeyPatch.context() as patch:
            if not has_shortcut:
                patch.setattr(evidence_sql, "_all_known_followers", lambda *_: False)
            results.append(record_evidence(store))
    assert results[0] == results[1]
