"""The whole program over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from line_core.store import open_store
from line_core.store.inbox import InboxEvent, read_events

if TYPE_CHECKING:
    from collections.abc import Callable

FOLLOW: dict[str, Any] = {
    "type": "follow",
    "webhookEventId": "01H810YECXQQZ37VAXPF6H9E6T",
    "timestamp": 1692251666727,
    "source": {"type": "user", "userId": "U" + "1" * 32},
    "mode": "active",
    "deliveryContext": {"isRedelivery": False},
    "follow": {"isUnblocked": False},
}


def stored(store_url: str) -> list[InboxEvent]:
    with open_store(store_url) as store, store.read() as connection:
        return read_events(connection, 0, 1000)


def test_an_event_answered_200_is_in_the_store(start_receiver: Callable[..., Any]) -> None:
    receiver = start_receiver()
    assert receiver.post_events(FOLLOW) == 200
    (event,) = stored(receiver.store_url)
    assert (event.channel, event.type, event.line_id) == ("main", "follow", "U" + "1" * 32)
    assert json.loads(event.payload) == FOLLOW


def test_the_same_event_again_is_counted_and_not_stored_twice(start_receiver: Callable[..., Any]) -> None:
    receiver = start_receiver()
    again = FOLLOW | {"deliveryContext": {"isRedelivery": True}}
    assert [receiver.post_events(FOLLOW), receiver.post_events(again, again)] == [200, 200]
    (event,) = stored(receiver.store_url)
    assert event.deliveries == 3
    assert json.loads(event.payload) == FOLLOW


def test_what_is_not_signed_is_refused_and_not_stored(start_receiver: Callable[..., Any]) -> None:
    receiver = start_receiver()
    body = json.dumps({"events": [FOLLOW]}).encode()
    assert receiver.post(body, signature="") == 401
    assert receiver.post(body, signature="d3Jvbmc=") == 401
    assert receiver.post(body, path="/webhook/other") == 404
    assert receiver.get("/webhook/main") == 405
    assert receiver.post(b"not json") == 400
    assert stored(receiver.store_url) == []


def test_the_empty_request_of_the_console_is_answered_200(start_receiver: Callable[..., Any]) -> None:
    receiver = start_receiver()
    assert receiver.post_events() == 200
    assert [receiver.get(path) for path in ("/health", "/ready", "/metrics")] == [200, 200, 200]
