"""Retention deletes old acknowledged events and keeps current states; erasure removes a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from line_core.store.inbox import last_position, read_events, relay_queue, write_events
from line_core.store.inbox.erasure import ERASED_LINE_ID, erase_line_id
from line_core.store.inbox.readers import acknowledge, acknowledged_positions
from line_core.store.inbox.retention import removable_positions
from line_core.store.tables.inbox import relay_requests
from line_core.webhook_events.parsing import parse_events
from line_webhook.background.retention import RetentionPurge
from tests.support.webhook_events import GROUP_ID, body_of, event
from tests.support.webhook_events import text as message

if TYPE_CHECKING:
    from line_core.store import Store

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def write(store: Store, *events: dict[str, Any], days_ago: float = 0) -> None:
    with store.write(lock="inbox") as connection:
        write_events(connection, parse_events("main", body_of(*events), NOW - days_ago * DAY))


def read_up_to(store: Store, reader: str, position: int) -> None:
    with store.write() as connection:
        acknowledge(connection, reader, position)


def newest(store: Store) -> int:
    with store.read() as connection:
        return last_position(connection)


def numbers(store: Store) -> list[int]:
    with store.read() as connection:
        return [int(one.webhook_event_id[-16:]) for one in read_events(connection, 0, 10_000)]


def purge(store: Store, days: float = 30, *, unread: bool = False) -> int:
    one_pass = RetentionPurge(store, days, include_unread=unread)
    removed = 0
    while (count := one_pass.step()) is not None:
        removed += count
    return removed


def test_old_acknowledged_events_are_deleted(store: Store) -> None:
    write(store, event(1, "postback"), event(2, "postback"), days_ago=40)
    read_up_to(store, "tap", newest(store))
    write(store, event(3, "postback"), days_ago=35)
    write(store, event(4, "postback"), days_ago=5)
    assert purge(store) == 2
    assert numbers(store) == [3, 4]


def test_nothing_is_deleted_without_a_reader(store: Store) -> None:
    write(store, event(1, "postback"), days_ago=400)
    assert purge(store) == 0
    assert purge(store, unread=True) == 1


def test_the_lowest_acknowledged_position_limits_retention(store: Store) -> None:
    write(store, event(1, "postback"), days_ago=40)
    first = newest(store)
    write(store, event(2, "postback"), days_ago=40)
    read_up_to(store, "one", newest(store))
    read_up_to(store, "other", newest(store))
    read_up_to(store, "other", first)
    with store.read() as connection:
        assert acknowledged_positions(connection) == {"one": newest(store), "other": first}
    assert purge(store) == 1
    assert numbers(store) == [2]


def test_the_last_follow_of_each_person_and_memberships_of_groups_are_kept(store: Store) -> None:
    person: dict[str, Any] = {"source": {"type": "user", "userId": "U" + "a" * 32}}
    group: dict[str, Any] = {"source": {"type": "group", "groupId": GROUP_ID}}
    write(
        store,
        event(1, "follow", **person),
        event(2, "unfollow", **person),
        event(4, "follow", **person),
        event(3, "unfollow", **person),
        event(5, "follow"),
        event(6, "join", **group),
        event(7, "message", **group),
        event(8, "follow", source={}),
        days_ago=40,
    )
    assert purge(store, unread=True) == 5
    assert numbers(store) == [4, 5, 6]


def test_a_purge_deletes_in_small_steps(store: Store) -> None:
    write(store, *(event(number, "postback") for number in range(501)), days_ago=40)
    one_pass = RetentionPurge(store, 30, include_unread=True)
    steps = [one_pass.step() for _ in range(4)]
    assert steps == [200, 200, 101, None]


def test_the_search_for_last_follows_uses_an_index(store: Store) -> None:
    write(store, *(event(number) for number in range(3000)), days_ago=40)
    if store.is_sqlite:
        explain = "EXPLAIN QUERY PLAN SELECT 1 FROM events AS later WHERE channel = 'main' AND line_id = 'U'"
        with store.read() as connection:
            plan = connection.execute(text(f"{explain} AND type IN ('follow', 'unfollow')")).all()
        assert "ix_events_follows" in str(plan)
    with store.read() as connection:
        assert removable_positions(connection, after=0, up_to=10_000, limit=10) == []


def test_an_erased_line_id_occurs_nowhere(store: Store) -> None:
    person = "U" + "a" * 32
    members = {"members": [{"type": "user", "userId": person}, {"type": "user", "userId": "U" + "b" * 32}]}
    write(
        store,
        message(1, "77"),
        event(2, "message", source={"type": "user", "userId": person}),
        event(3, "memberJoined", joined=members),
    )
    before = newest(store)
    request = relay_queue.NewRelayRequest("main", "target", f'{{"userId":"{person}"}}', "signature", NOW)
    with store.write() as connection:
        relay_queue.enqueue(connection, [request])
        (queued,) = relay_queue.next_requests(connection, "main", "target", 1)
        relay_queue.mark_dead(connection, queued.relay_id, "refused")
    with store.write(lock="inbox") as connection:
        assert erase_line_id(connection, person) == 2
    with store.read() as connection:
        kept = read_events(connection, 0, 10)
        assert connection.execute(select(relay_requests)).all() == []
    assert [one.webhook_event_id[-1] for one in kept] == ["1", "3"]
    assert not any(person in str(one) for one in kept)
    assert ERASED_LINE_ID in kept[1].payload
    assert "U" + "b" * 32 in kept[1].payload
    assert kept[1].position > before


@pytest.mark.parametrize("wild", ["%", "U_______"])
def test_erasure_does_not_interpret_wildcards(store: Store, wild: str) -> None:
    write(store, event(1), event(2))
    with store.write(lock="inbox") as connection:
        assert erase_line_id(connection, wild) == 0
    assert numbers(store) == [1, 2]
