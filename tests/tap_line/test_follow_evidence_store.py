"""The book of friends, on both databases."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from line_core.follow_state import FollowState
from line_core.store import open_store
from tap_line.follow_evidence import evidence_sql
from tap_line.follow_evidence.evidence_sql import Checks, Marks
from tap_line.follow_evidence.evidence_store import FollowEvidenceStore
from tap_line.follow_evidence.friendship import Source
from tests.support import inbox_events
from tests.support.inbox_events import event, minute

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store
    from tap_line.follow_evidence.friendship import Friendship

ANN, BOB, CAT = (f"U{number:032x}" for number in (1, 2, 3))


def receive(store: Store, *happenings: tuple[int, str, str], channel: str = "main") -> None:
    """Put events into the inbox: minute, LINE ID, type."""
    inbox_events.receive(store, (event(at, kind, line_id) for at, line_id, kind in happenings), channel=channel)


@pytest.fixture
def book(store: Store) -> FollowEvidenceStore:
    return FollowEvidenceStore(store, "main")


def known(store: Store, line_id: str) -> Friendship:
    with store.read() as connection:
        return evidence_sql.friendships(connection, "main", [line_id])[line_id]


def findings(store: Store) -> int:
    with store.read() as connection:
        return evidence_sql.last_marks(connection).finding_id


def test_events_and_a_list_agree_on_who_follows(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (2, BOB, "follow"), (3, BOB, "unfollow"), (4, CAT, "message"))
    assert [line_id for line_id, _ in book.followers()] == [ANN]
    book.note_listed([ANN, CAT], minute(10))
    assert [(line_id, friendship.source) for line_id, friendship in book.followers()] == [
        (ANN, Source.WEBHOOK),
        (CAT, Source.FOLLOWERS_API),
    ]


def test_a_complete_list_reveals_who_left_unseen(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (1, BOB, "follow"))
    book.note_listed([ANN, BOB, CAT], minute(10))
    book.note_complete_list(minute(9))
    book.note_listed([ANN], minute(20))
    assert book.note_complete_list(minute(19)) == 2
    assert known(store, ANN).state is FollowState.FOLLOWING
    assert known(store, BOB).state is known(store, CAT).state is FollowState.UNFOLLOWED
    assert known(store, BOB).source is Source.FOLLOWERS_API
    assert book.note_complete_list(minute(19)) == 0


def test_somebody_who_follows_while_the_list_is_read_is_not_missing(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (15, BOB, "follow"))
    book.note_listed([ANN], minute(11))
    assert book.note_complete_list(minute(10)) == 0
    assert known(store, BOB).state is FollowState.FOLLOWING


def test_a_list_reveals_a_follow_that_no_event_told_of(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "unfollow"))
    book.note_listed([ANN], minute(10))
    assert known(store, ANN).state is FollowState.FOLLOWING
    receive(store, (5, ANN, "follow"))
    assert known(store, ANN).state is FollowState.FOLLOWING


def test_an_event_that_comes_late_does_not_undo_a_newer_list(store: Store, book: FollowEvidenceStore) -> None:
    book.note_listed([ANN], minute(10))
    book.note_listed([ANN], minute(20))
    receive(store, (15, ANN, "unfollow"))
    assert known(store, ANN).state is FollowState.FOLLOWING


def test_only_news_is_kept(store: Store, book: FollowEvidenceStore) -> None:
    for day in range(5):
        book.note_listed([ANN, BOB], minute(10 * day))
        book.note_checked({ANN: True, BOB: True}, minute(10 * day + 1), "p")
    assert findings(store) == 2
    book.note_checked({ANN: False}, minute(100), "p")
    assert findings(store) == 3
    assert known(store, ANN).source is Source.PROFILE_CHECK


def test_changed_people_are_found_once_and_no_change_is_skipped(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), (2, ANN, "unfollow"), (3, BOB, "message"), (4, BOB, "follow"))
    book.note_listed([CAT], minute(10))
    with store.read() as connection:
        people, marks = evidence_sql.changed_people(connection, Marks())
        assert people == [("main", ANN), ("main", BOB), ("main", CAT)]
        assert evidence_sql.changed_people(connection, marks) == ([], marks)
    receive(store, (20, CAT, "unfollow"))
    with store.read() as connection:
        assert evidence_sql.changed_people(connection, marks)[0] == [("main", CAT)]


def test_changed_people_come_in_pages(store: Store) -> None:
    receive(store, *((at, f"U{at:032x}", "follow") for at in range(25)))
    found, marks = [], Marks()
    for _ in range(4):
        with store.read() as connection:
            people, marks = evidence_sql.changed_people(connection, marks, limit=10)
        found += people
    assert [line_id for _, line_id in found] == [f"U{at:032x}" for at in range(25)]


def test_everybody_who_sent_an_event_can_be_asked_about(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, BOB, "message"), (2, ANN, "postback"), (3, BOB, "message"), (4, "LU1-U2", "message"))
    receive(store, (5, CAT, "message"), channel="other")
    book.add_people_of_inbox()
    assert book.people_after("") == [ANN, BOB]
    assert book.people_after(ANN) == [BOB]
    assert book.count(listed=False) == 2
    book.note_listed([ANN], minute(10))
    assert book.people_after("", not_listed_since=minute(10)) == [BOB]
    assert book.people_after("", not_listed_since=minute(11)) == [ANN, BOB]


def test_a_profile_counts_as_fresh_for_the_pipeline_that_handed_it_on(book: FollowEvidenceStore) -> None:
    book.note_checked({ANN: True}, minute(10), "mine")
    book.note_checked({BOB: False}, minute(20), "mine")
    book.note_checked({CAT: True}, minute(10), "other")
    everybody = [ANN, BOB, CAT]
    assert book.checked(everybody, Checks("mine", since=minute(5), until=minute(20))) == {ANN, BOB}
    assert book.checked(everybody, Checks("mine", since=minute(5), until=minute(15))) == {ANN}
    assert book.checked(everybody, Checks("mine", since=minute(12), until=minute(30))) == {BOB}


def test_channels_are_kept_apart(store: Store, book: FollowEvidenceStore) -> None:
    receive(store, (1, ANN, "follow"), channel="other")
    assert list(book.followers()) == []
    assert [line_id for line_id, _ in FollowEvidenceStore(store, "other").followers()] == [ANN]
    with store.read() as connection:
        assert evidence_sql.inbox_channels(connection) == ["other"]


@pytest.mark.parametrize("seed", range(12))
def test_the_quick_answer_to_what_is_certain_changes_no_result(tmp_path: Path, seed: int) -> None:
    def live(store: Store) -> tuple[list[tuple[str, object]], int]:
        """Ten looks at three people, and events between them, as the seed has it."""
        chance = random.Random(seed)
        book = FollowEvidenceStore(store, "main")
        for step in range(1, 11):
            who = chance.sample([ANN, BOB, CAT], chance.randint(1, 3))
            at = step * 10 + chance.choice([-15, 0, 0])
            match chance.choice(["event", "list", "complete", "check"]):
                case "event":
                    receive(store, *((at, line_id, chance.choice(["follow", "unfollow"])) for line_id in who))
                case "list":
                    book.note_listed(who, minute(at))
                case "complete":
                    book.note_complete_list(minute(at))
                case _:
                    book.note_checked({line_id: chance.random() < 0.7 for line_id in who}, minute(at), "p")
        with store.read() as connection:
            known = evidence_sql.friendships(connection, "main", [ANN, BOB, CAT])
        return sorted(known.items()), findings(store)

    results = []
    for name, is_quick in (("quick", True), ("slow", False)):
        with open_store(f"sqlite:///{tmp_path / name}.db") as store, pytest.MonkeyPatch.context() as patch:
            if not is_quick:
                patch.setattr(evidence_sql, "_all_listed", lambda *_: False)
            results.append(live(store))
    assert results[0] == results[1]
