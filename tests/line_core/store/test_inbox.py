"""The inbox keeps each event once, and readers meet every change; on both databases."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from line_core.store import open_store
from line_core.store.inbox import InboxEvent, WriteResult, last_position, read_events, write_events
from line_core.store.inbox.retention import remove_events
from line_core.webhook_events.parsing import parse_events
from tests.support.webhook_events import DOCUMENTED, body_of, event, text, unsend, unusual_bodies

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store

NOW = datetime(2026, 1, 1, 12, 0, 0, 123_456, UTC)


def write(store: Store, *bodies: bytes, channel: str = "main") -> WriteResult:
    with store.write(lock="inbox") as connection:
        return write_events(connection, [one for body in bodies for one in parse_events(channel, body, NOW)])


def read(store: Store, after: int = 0, limit: int = 10_000) -> list[InboxEvent]:
    with store.read() as connection:
        return read_events(connection, after, limit)


def test_an_event_is_read_as_it_was_received(store: Store) -> None:
    samples = [sample for sample in DOCUMENTED if sample["type"] not in ("messageEdited", "unsend")]
    body = body_of(*samples)
    assert write(store, body) == WriteResult(new=len(samples), repeated=0)
    for received, stored in zip(parse_events("main", body, NOW), read(store), strict=True):
        for name in received.__struct_fields__:
            assert getattr(stored, name) == getattr(received, name), name


def test_events_are_read_in_the_order_in_which_they_came(store: Store) -> None:
    write(store, body_of(*(event(number) for number in (3, 1, 2))))
    assert [one.webhook_event_id[-1] for one in read(store)] == ["3", "1", "2"]


def test_a_repeated_event_is_counted_and_its_first_text_stays(store: Store) -> None:
    write(store, body_of(event(1, first=True)))
    position = read(store)[0].position
    assert write(store, body_of(event(1, first=False), event(1), event(2), event(2))) == WriteResult(new=1, repeated=3)
    first, second = read(store)
    assert (first.position, first.deliveries, json.loads(first.payload)["first"]) == (position, 3, True)
    assert second.deliveries == 2


def test_channels_do_not_share_events(store: Store) -> None:
    write(store, body_of(event(1)), channel="a")
    assert write(store, body_of(event(1)), channel="b").new == 1


def test_a_reader_goes_on_where_it_stopped(store: Store) -> None:
    write(store, body_of(*(event(number) for number in range(10))))
    seen: list[InboxEvent] = []
    while page := read(store, after=seen[-1].position if seen else 0, limit=3):
        seen += page
    assert [one.webhook_event_id for one in seen] == [one.webhook_event_id for one in read(store)]


def test_a_reader_can_ask_for_some_types_alone(store: Store) -> None:
    write(store, body_of(event(1, "follow"), event(2, "postback"), event(3, "unfollow")))
    with store.read() as connection:
        found = read_events(connection, 0, 10, types=("follow", "unfollow"))
    assert [one.type for one in found] == ["follow", "unfollow"]


def test_a_position_is_never_given_twice_even_when_the_newest_event_is_gone(store: Store) -> None:
    write(store, body_of(event(1)))
    with store.write(lock="inbox") as connection:
        last = last_position(connection)
        assert remove_events(connection, [last]) == 1
    write(store, body_of(event(2)))
    assert read(store)[0].position > last


def test_unsending_blanks_the_message_and_readers_meet_it_again(store: Store) -> None:
    write(store, body_of(text(1, "77", "my secret"), text(2, "78", "other")))
    last = read(store)[-1].position
    write(store, body_of(unsend(3, "77")))
    taken_back, blanked = read(store, after=last)
    assert (taken_back.type, blanked.message_state) == ("unsend", "unsent")
    assert json.loads(blanked.payload) == text(1, "77") | {"message": {"type": "text", "id": "77"}}
    assert [one.message_state for one in read(store)] == ["current", None, "unsent"]
    assert not any("secret" in one.payload for one in read(store))


def test_a_message_that_arrives_after_its_unsend_is_never_readable(store: Store) -> None:
    write(store, body_of(unsend(3, "77")))
    write(store, body_of(text(1, "77", "my secret")))
    assert [one.message_state for one in read(store)] == [None, "unsent"]
    assert "secret" not in read(store)[1].payload


def test_another_channel_s_message_of_the_same_id_is_left_alone(store: Store) -> None:
    write(store, body_of(text(1, "77")), channel="a")
    write(store, body_of(unsend(2, "77")), channel="b")
    assert read(store)[0].message_state == "current"


def test_the_newest_text_is_known_and_the_history_kept(store: Store) -> None:
    write(store, body_of(text(1, "77", "one")))
    last = read(store)[-1].position
    write(store, body_of(text(3, "77", "three", kind="messageEdited")))
    write(store, body_of(text(2, "77", "two", kind="messageEdited")))
    states = {json.loads(one.payload)["message"]["text"]: one.message_state for one in read(store)}
    assert states == {"one": "superseded", "two": "superseded", "three": "current"}
    assert {json.loads(one.payload)["message"]["text"] for one in read(store, after=last)} == {"one", "two", "three"}


def test_a_blanked_message_that_is_sent_again_stays_blank(store: Store) -> None:
    write(store, body_of(text(1, "77", "my secret"), unsend(2, "77")))
    write(store, body_of(text(1, "77", "my secret")), body_of(event(9)))
    assert not any("secret" in one.payload for one in read(store))


STORY = [text(1, "77", "one"), text(2, "77", "two", kind="messageEdited"), text(3, "77", "three", kind="messageEdited")]


def _what_is_known(store: Store) -> set[tuple[str, str | None, str]]:
    return {(one.webhook_event_id, one.message_state, one.payload) for one in read(store)}


@pytest.mark.parametrize("story", [STORY, [*STORY[:2], unsend(4, "77")]], ids=["edited", "unsent"])
def test_the_order_of_arrival_makes_no_difference(tmp_path: Path, story: list[dict[str, Any]]) -> None:
    known = []
    for number, order in enumerate(itertools.permutations(story)):
        for together in (True, False):
            with open_store(f"sqlite:///{tmp_path}/{number}-{together}.db") as store:
                for body in [body_of(*order)] if together else [body_of(one) for one in order]:
                    write(store, body)
                known.append(_what_is_known(store))
    assert all(what == known[0] for what in known)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(bodies=st.lists(unusual_bodies(), max_size=5))
def test_whatever_comes_can_be_stored_and_is_stored_once(store: Store, bodies: list[bytes]) -> None:
    write(store, *bodies)
    assert write(store, *bodies).new == 0
    ids = [(one.channel, one.webhook_event_id) for one in read(store)]
    assert len(set(ids)) == len(ids)
