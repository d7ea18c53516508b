"""Several workers on Postgres are one receiver."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.support.webhook_catcher import WebhookCatcher
from tests.support.webhook_events import body_of, event
from tests.support.webhook_load import Load, assert_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.receiver_program import Receiver


def test_they_share_the_inbox_and_answer_for_each_other(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url, workers=3)
    with Load(lambda: receiver.url) as load:
        load.until(accepted=300)
    assert load.statuses() == {200}
    assert_kept(load, receiver.stored())
    answered = receiver.metric('tap_line_webhook_requests_total{channel="main",status="200"}')
    assert answered == len(load.answers)
    assert receiver.metric('tap_line_webhook_events_total{outcome="new"}') == len(load.answers)


def test_the_same_events_at_all_of_them_at_once_are_stored_once(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url, workers=3)
    body = body_of(*map(event, range(50)))

    def send(_: int) -> int:  # each from a connection of its own, so that any worker may get it
        return receiver.post(body).status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(send, range(20))) == {200}
    assert [one.deliveries for one in receiver.stored()] == [20] * 50


def test_a_relay_is_fed_by_all_and_sent_by_one(postgres_url: str, start_receiver: Callable[..., Receiver]) -> None:
    with WebhookCatcher() as bot:
        receiver = start_receiver(postgres_url, workers=3, relay_urls=json.dumps([bot.url]))
        for number in range(30):
            assert receiver.send(event(number)) == 200
        until = time.monotonic() + 20
        while receiver.metric('tap_line_webhook_relayed_total{channel="main",outcome="delivered"}') < 30:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert [one["webhookEventId"] for one in bot.events()] == [event(number)["webhookEventId"] for number in range(30)]
