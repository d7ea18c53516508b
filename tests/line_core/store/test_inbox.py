"""The inbox stores each event once, and readers see every change; on both databases."""

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
    from collections.abc import Callable
    from pathlib import Path

    from line_core.store import Store

NOW = datetime(2026, 1, 1, 12, 0, 0, 123_456, UTC)


def write(store: Store, *bodies: bytes, channel: str = "main") -> WriteResult:
    with store.write(lock="inbox") as connection:
        return write_events(connection, [one for body in bodies for one in parse_events(channel, body, NOW)])


def read(store: Store, after: int = 0, limit: int = 10_000) -> list[InboxEvent]:
    with store.read() as connection:
        return read_events(connection, after, limit)


def test_a_stored_event_has_the_columns_of_the_received_event(store: Store) -> None:
    samples = [sample for sample in DOCUMENTED if sample["type"] not in ("messageEdited", "unsend")]
    body = body_of(*samples)
    assert write(store, body) == WriteResult(new=len(samples), repeated=0)
    for received, stored in zip(parse_events("main", body, NOW), read(store), strict=True):
        for name in received.__struct_fields__:
            assert getattr(stored, name) == getattr(received, name), name


def test_events_are_read_in_the_order_of_arrival(store: Store) -> None:
    write(store, body_of(*(event(number) for number in (3, 1, 2))))
    assert [one.webhook_event_id[-1] for one in read(store)] == ["3", "1", "2"]


def test_a_repeated_event_is_counted_and_keeps_its_first_text(store: Store) -> None:
    write(store, body_of(event(1, first=True)))
    position = read(store)[0].position
    assert write(store, body_of(event(1, first=False), event(1), event(2), event(2))) == WriteResult(new=1, repeated=3)
    first, second = read(store)
    assert (first.position, first.deliveries, json.loads(first.payload)["first"]) == (position, 3, True)
    assert second.deliveries == 2


def test_channels_do_not_share_events(store: Store) -> None:
    write(store, body_of(event(1)), channel="a")
    assert write(store, body_of(event(1)), channel="b").new == 1


def test_a_reader_continues_after_its_last_position(store: Store) -> None:
    write(store, body_of(*(event(number) for number in range(10))))
    seen: list[InboxEvent] = []
    while page := read(store, after=seen[-1].position if seen else 0, limit=3):
        seen += page
    assert [one.webhook_event_id for one in seen] == [one.webhook_event_id for one in read(store)]


def test_a_reader_can_select_event_types(store: Store) -> None:
    write(store, body_of(event(1, "follow"), event(2, "postback"), event(3, "unfollow")))
    with store.read() as connection:
        found = read_events(connection, 0, 10, types=("follow", "unfollow"))
    assert [one.type for one in found] == ["follow", "unfollow"]


def test_the_position_of_a_deleted_event_is_never_reused(store: Store) -> None:
    write(store, body_of(event(1)))
    with store.write(lock="inbox") as connection:
        last = last_position(connection)
        assert remove_events(connection, [last]) == 1
    write(store, body_of(event(2)))
    assert read(store)[0].position > last


def test_an_unsend_removes_the_content_and_readers_read_the_message_again(store: Store) -> None:
    write(store, body_of(text(1, "77", "my secret"), text(2, "78", "other")))
    last = read(store)[-1].position
    write(store, body_of(unsend(3, "77")))
    unsend_event, message = read(store, after=last)
    assert (unsend_event.type, message.message_state) == ("unsend", "unsent")
    assert json.loads(message.payload) == text(1, "77") | {"message": {"type": "text", "id": "77"}}
    assert [one.message_state for one in read(store)] == ["current", None, "unsent"]
    assert not any("secret" in one.payload for one in read(store))


def test_a_message_that_arrives_after_its_unsend_has_no_content(store: Store) -> None:
    write(store, body_of(unsend(3, "77")))
    write(store, body_of(text(1, "77", "my secret")))
    assert [one.message_state for one in read(store)] == [None, "unsent"]
    assert "secret" not in read(store)[1].payload


def test_an_unsend_does_not_affect_the_same_message_id_of_another_channel(store: Store) -> None:
    write(store, body_of(text(1, "77")), channel="a")
    write(store, body_of(unsend(2, "77")), channel="b")
    assert read(store)[0].message_state == "current"


def test_the_newest_edit_is_current_and_earlier_texts_are_superseded(store: Store) -> None:
    write(store, body_of(text(1, "77", "one")))
    last = read(store)[-1].position
    write(store, body_of(text(3, "77", "three", kind="messageEdited")))
    write(store, body_of(text(2, "77", "two", kind="messageEdited")))
    states = {json.loads(one.payload)["message"]["text"]: one.message_state for one in read(store)}
    assert states == {"one": "superseded", "two": "superseded", "three": "current"}
    assert {json.loads(one.payload)["message"]["text"] for one in read(store, after=last)} == {"one", "two", "three"}


def test_a_redelivered_unsent_message_stays_without_content(store: Store) -> None:
    write(store, body_of(text(1, "77", "my secret"), unsend(2, "77")))
    write(store, body_of(text(1, "77", "my secret")), body_of(event(9)))
    assert not any("secret" in one.payload for one in read(store))


EDITS = [text(1, "77", "one"), text(2, "77", "two", kind="messageEdited"), text(3, "77", "three", kind="messageEdited")]


def _contents(store: Store) -> set[tuple[str, str | None, str]]:
    return {(one.webhook_event_id, one.message_state, one.payload) for one in read(store)}


@pytest.mark.parametrize("events", [EDITS, [*EDITS[:2], unsend(4, "77")]], ids=["edited", "unsent"])
def test_the_result_does_not_depend_on_the_order_of_arrival(
    new_sqlite_store: Callable[[Path], str], tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    results = []
    for number, order in enumerate(itertools.permutations(events)):
        for together in (True, False):
            with open_store(new_sqlite_store(tmp_path / f"{number}-{together}.db")) as store:
                for body in [body_of(*order)] if together else [body_of(one) for one in order]:
                    write(store, body)
                results.append(_contents(store))
    assert all(result == results[0] for result in results)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(bodies=st.lists(unusual_bodies(), max_size=5))
def test_any_valid_event_is_stored_once(store: Store, bodies: list[bytes]) -> None:
    write(store, *bodies)
    assert write(store, *bodies).new == 0
    ids = [(one.channel, one.webhook_event_id) for one in read(store)]
    assert len(set(ids)) == len(ids)
