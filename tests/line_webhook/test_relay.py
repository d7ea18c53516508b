"""Relays send requests unchanged and in order, also after failures, and never log the secrets in a bot's URL."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from line_core.errors import StoreError
from line_core.store.inbox import relay_queue
from line_core.store.leases import acquire_lease, release_lease
from line_core.webhook_events.parsing import parse_events
from line_webhook.background import relay as module
from line_webhook.background.relay import Relay, RelayOptions
from line_webhook.metrics.counters import ReceiverMetrics
from line_webhook.storage.async_store import AsyncStore
from line_webhook.storage.request_writer import RequestWriter, SignedRequest
from tests.support.webhook_catcher import WebhookCatcher
from tests.support.webhook_events import body_of, event, signature, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from line_core.store import Store


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.05)


def store_request(store: Store, body: bytes, url: str) -> None:
    writer = RequestWriter(store, {"main": [relay_queue.target_id(url)]}, ReceiverMetrics(["main"]))
    received = parse_events("main", body, datetime.now(UTC))
    writer.write([SignedRequest("main", received, body, signature(body).encode())])


def backlog(store: Store) -> tuple[int, int]:
    with store.read() as connection:
        (queue,) = relay_queue.backlogs(connection) or [relay_queue.RelayBacklog("main", "", 0, 0)]
    return queue.pending, queue.dead


def make_relay(store: Store, url: str, *, give_up_hours: float = 24, owner: str | None = None) -> Relay:
    options = RelayOptions(owner or uuid.uuid4().hex, 5, timedelta(hours=give_up_hours))

    async def call(function: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(function)

    return Relay(AsyncStore(store, call), "main", url, options, ReceiverMetrics(["main"]))


async def relay_until(relay: Relay, condition: Callable[[], bool]) -> None:
    task = asyncio.create_task(relay.run())
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)
    relay.close()
    await task


async def test_a_request_is_relayed_unchanged_with_its_signature(store: Store) -> None:
    body = b'{ "destination":"U0",\n "events":[{"type":"x","n":1.00,"t":"\\ud83d \xe3\x81\x82"}]}'
    with WebhookCatcher() as bot:
        store_request(store, body, bot.url)
        await relay_until(make_relay(store, bot.url), lambda: backlog(store) == (0, 0))
    ((headers, relayed),) = bot.requests
    assert relayed.encode() == body
    assert headers["x-line-signature"] == signature(body)
    assert headers["content-type"] == "application/json; charset=utf-8"


async def test_requests_stay_in_order_when_the_bot_fails(store: Store) -> None:
    with WebhookCatcher(lambda index: [500, 200, 429, 503, 200, 408][index % 6]) as bot:
        for number in range(6):
            store_request(store, body_of(event(number)), bot.url)
        await relay_until(make_relay(store, bot.url), lambda: backlog(store) == (0, 0))
    statuses = [[500, 200, 429, 503, 200, 408][index % 6] for index in range(len(bot.requests))]
    accepted = [body for (_, body), status in zip(bot.requests, statuses, strict=True) if status == 200]
    assert accepted == [body_of(event(number)).decode() for number in range(6)]


async def test_a_rejected_request_becomes_a_dead_letter_and_the_next_request_is_sent(store: Store) -> None:
    with WebhookCatcher(lambda index: 400 if index < 5 else 200) as bot:
        store_request(store, body_of(event(1)), bot.url)
        store_request(store, body_of(event(2)), bot.url)
        await relay_until(make_relay(store, bot.url), lambda: backlog(store) == (0, 1))
        assert [body for _, body in bot.requests] == [body_of(event(1)).decode()] * 5 + [body_of(event(2)).decode()]
        with store.write() as connection:
            assert relay_queue.requeue_dead_letters(connection) == 1
        await relay_until(make_relay(store, bot.url), lambda: backlog(store) == (0, 0))
    assert bot.requests[-1][1] == body_of(event(1)).decode()


async def test_requests_to_an_unreachable_bot_wait_until_they_are_too_old(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    url = "http://127.0.0.1:9/hook?key=s3cret"
    store_request(store, body_of(text(1, "77", "private message")), url)
    relay = make_relay(store, url)
    await relay_until(relay, lambda: len(caplog.records) >= 3)
    assert backlog(store) == (1, 0)
    await relay_until(make_relay(store, url, give_up_hours=0), lambda: backlog(store) == (0, 1))
    assert "s3cret" not in caplog.text
    assert "private message" not in caplog.text
    with store.read() as connection:
        assert "s3cret" not in json.dumps([str(row) for row in relay_queue.backlogs(connection)])


async def test_only_the_owner_of_the_lease_sends(store: Store) -> None:
    with WebhookCatcher() as bot:
        store_request(store, body_of(event(1)), bot.url)
        work = f"relay main {relay_queue.target_id(bot.url)}"
        with store.write() as connection:
            assert acquire_lease(connection, work, "another receiver", 0.6)
        relay = make_relay(store, bot.url)
        waiting = asyncio.create_task(relay_until(relay, lambda: backlog(store) == (0, 0)))
        await asyncio.sleep(0.3)
        assert bot.requests == []
        await waiting
    assert len(bot.requests) == 1


async def test_a_relay_continues_after_an_error_of_the_store(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    errors = iter([StoreError("the store is down")] * 2)

    async def fail_twice(function: Callable[[], Any]) -> Any:
        for error in errors:
            raise error
        return await asyncio.to_thread(function)

    with WebhookCatcher() as bot:
        store_request(store, body_of(event(1)), bot.url)
        options = RelayOptions(uuid.uuid4().hex, 5, timedelta(hours=24))
        relay = Relay(AsyncStore(store, fail_twice), "main", bot.url, options, ReceiverMetrics(["main"]))
        await relay_until(relay, lambda: backlog(store) == (0, 0))
    assert len(bot.requests) == 1
    assert caplog.text.count("waits for the store: the store is down") == 2


def test_a_lease_has_one_owner_until_it_expires_or_is_released(store: Store) -> None:
    def acquire(owner: str, seconds: float) -> bool:
        with store.write() as connection:
            return acquire_lease(connection, "work", owner, seconds)

    assert acquire("a", 60)
    assert not acquire("b", 60)
    assert acquire("a", -1)
    assert acquire("b", 60)
    assert not acquire("a", 60)
    with store.write() as connection:
        release_lease(connection, "work", "a")
    assert not acquire("a", 60)
    with store.write() as connection:
        release_lease(connection, "work", "b")
    assert acquire("a", 60)


def test_a_request_is_queued_in_the_transaction_that_stores_its_events(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_queue, "enqueue", partial(_fail, "no queue"))
    with pytest.raises(RuntimeError):
        store_request(store, body_of(event(1)), "http://bot.example")
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one() == 0


def _fail(message: str, *_: object) -> None:
    raise RuntimeError(message)
