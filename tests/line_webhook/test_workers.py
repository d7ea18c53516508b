"""Several workers with one Postgres store behave like one receiver."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.support.receiver_program import process_ids
from tests.support.webhook_catcher import WebhookCatcher
from tests.support.webhook_events import body_of, event
from tests.support.webhook_load import Load, assert_accepted_events_stored_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.receiver_program import Receiver


def test_workers_share_the_inbox_and_the_metrics(postgres_url: str, start_receiver: Callable[..., Receiver]) -> None:
    receiver = start_receiver(postgres_url, workers=3)
    with Load(lambda: receiver.url) as load:
        load.wait_for_accepted(300)
    assert load.statuses() == {200}
    assert_accepted_events_stored_once(load, receiver.stored())
    counted = receiver.metric('tap_line_webhook_requests_total{channel="main",status="200"}')
    assert counted == len(load.responses)
    assert receiver.metric('tap_line_webhook_events_total{outcome="new"}') == len(load.responses)


def test_a_killed_worker_is_replaced_and_its_counts_stay(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url, workers=2)
    for number in range(20):
        assert receiver.send(event(number)) == 200
    processes = process_ids(postgres_url)
    os.kill(processes[-1], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(set(process_ids(postgres_url)) - set(processes)) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    receiver.wait_until_ready()
    assert receiver.metric('tap_line_webhook_events_total{outcome="new"}') == 20
    assert receiver.send(event(20)) == 200
    assert receiver.metric('tap_line_webhook_events_total{outcome="new"}') == 21


def test_the_same_events_sent_to_all_workers_are_stored_once(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url, workers=3)
    body = body_of(*map(event, range(50)))

    def send(_: int) -> int:  # a new connection per request, so that any worker may accept it
        return receiver.post(body).status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(send, range(20))) == {200}
    assert [row.deliveries for row in receiver.stored()] == [20] * 50


def test_requests_of_all_workers_are_relayed_once_and_in_order(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    with WebhookCatcher() as bot:
        receiver = start_receiver(postgres_url, workers=3, relay_urls=json.dumps([bot.url]))
        for number in range(30):
            assert receiver.send(event(number)) == 200
        until = time.monotonic() + 20
        while receiver.metric('tap_line_webhook_relayed_total{channel="main",outcome="delivered"}') < 30:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert [relayed["webhookEventId"] for relayed in bot.events()] == [
        event(number)["webhookEventId"] for number in range(30)
    ]
