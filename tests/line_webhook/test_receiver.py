"""The whole program over real HTTP: what is answered, what is stored, what is logged."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.webhook_events import DOCUMENTED, LINE_ID, SECRET, body_of, event, signature, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.receiver_program import Connection, Receiver


def test_an_event_answered_200_is_in_the_store(receiver: Receiver) -> None:
    assert receiver.post(body_of(*DOCUMENTED)).status_code == 200
    assert [one.type for one in receiver.stored()].count("follow") == 1
    assert len(receiver.stored()) == len(DOCUMENTED)


def test_a_redelivery_is_counted_and_changes_nothing(receiver: Receiver) -> None:
    again = event(1) | {"deliveryContext": {"isRedelivery": True}}
    assert [receiver.send(event(1)), receiver.send(again, again)] == [200, 200]
    (stored,) = receiver.stored()
    assert stored.deliveries == 3
    assert json.loads(stored.payload) == event(1)


def test_what_cannot_be_accepted_is_refused_each_in_its_way_and_not_stored(receiver: Receiver) -> None:
    body = body_of(event(1))
    url = f"{receiver.url}/webhook/main"
    assert requests.post(url, data=body, timeout=10).status_code == 401
    for wrong in ("", "d3Jvbmc=", signature(body, "other secret"), signature(body)[:-1], "\xe9"):
        assert receiver.post(body, signed=wrong).status_code == 401
    assert receiver.post(body, channel="other").status_code == 404
    assert receiver.post(body, channel="main/").status_code == 404
    assert receiver.get("/webhook/main").status_code == 405
    assert receiver.get("/").status_code == 404
    assert receiver.post(b"not json").status_code == 400
    assert receiver.post(b'{"destination":"U"}').status_code == 400
    assert receiver.post(b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    assert receiver.stored() == []


def test_a_body_sent_in_parts_is_judged_as_a_whole(receiver: Receiver) -> None:
    body = body_of(*(text(number, str(number), "a" * 1000) for number in range(500)))

    def parts(of: bytes) -> Iterator[bytes]:
        yield from (of[begin : begin + 10_000] for begin in range(0, len(of), 10_000))

    headers = {"x-line-signature": signature(body)}
    assert requests.post(f"{receiver.url}/webhook/main", data=parts(body), headers=headers, timeout=10).ok
    too_large = parts(b" " * (3 * 1024 * 1024))
    answer = requests.post(f"{receiver.url}/webhook/main", data=too_large, headers=headers, timeout=10)
    assert answer.status_code == 413
    assert len(receiver.stored()) == 500


def test_the_verify_button_of_the_console_is_answered_200(receiver: Receiver) -> None:
    assert receiver.send() == 200
    assert receiver.stored() == []


def test_both_secrets_are_accepted_while_one_is_changed(start_receiver: Callable[..., Receiver]) -> None:
    receiver = start_receiver(channel_secret="new", previous_channel_secret=SECRET)
    assert receiver.post(body_of(event(1)), signed=signature(body_of(event(1)), "new")).status_code == 200
    assert receiver.send(event(2)) == 200
    assert receiver.post(body_of(event(3)), signed=signature(body_of(event(3)), "older")).status_code == 401


def test_each_channel_has_its_own_secret_and_events(start_receiver: Callable[..., Receiver]) -> None:
    channels = [{"name": "a", "channel_secret": "sa"}, {"name": "b", "channel_secret": "sb"}]
    receiver = start_receiver(channels=json.dumps(channels), channel_secret=None)
    body = body_of(event(1))
    assert receiver.post(body, channel="a", signed=signature(body, "sa")).status_code == 200
    assert receiver.post(body, channel="b", signed=signature(body, "sa")).status_code == 401
    assert receiver.post(body, channel="b", signed=signature(body, "sb")).status_code == 200
    assert sorted(one.channel for one in receiver.stored()) == ["a", "b"]


def test_the_log_tells_of_each_request_and_of_no_person(receiver: Receiver) -> None:
    receiver.send(text(1, "77", "private words") | {"source": {"type": "user", "userId": LINE_ID}})
    receiver.post(b'{"events":[{"text":"private words","userId":"' + LINE_ID.encode() + b'"')
    receiver.post(body_of(event(2)), signed="wrong")
    lines = [line for line in receiver.log_lines() if line["message"] == "webhook"]
    assert [line["status"] for line in lines] == [200, 400, 401]
    assert lines[0]["channel"] == "main"
    assert lines[0]["events"] == 1
    assert lines[0]["client"] == "127.0.0.1"
    assert "not a webhook request" in lines[1]["reason"]
    log = receiver.log.read_text()
    for hidden in ("private words", LINE_ID, SECRET, "U000000"):
        assert hidden not in log


def test_metrics_count_answers_and_events(receiver: Receiver) -> None:
    for _ in range(3):
        receiver.send(event(1))
    receiver.post(b"x", signed="wrong")
    receiver.post(b"x", channel="made-up")
    assert receiver.metric('tap_line_webhook_requests_total{channel="main",status="200"}') == 3
    assert receiver.metric('tap_line_webhook_requests_total{channel="main",status="401"}') == 1
    assert receiver.metric('tap_line_webhook_requests_total{channel="",status="404"}') == 1
    assert receiver.metric('tap_line_webhook_events_total{outcome="new"}') == 1
    assert receiver.metric('tap_line_webhook_events_total{outcome="repeated"}') == 2
    assert receiver.metric('tap_line_webhook_request_seconds_bucket{le="+Inf"}') == 5
    assert receiver.metric("tap_line_webhook_request_seconds_count") == 5
    assert receiver.metric("tap_line_webhook_ready") == 1
    assert receiver.metric("tap_line_webhook_last_position") >= 1
    assert receiver.metric("tap_line_webhook_buffered_bytes") == 0


def test_metrics_are_in_prometheus_text_format(receiver: Receiver) -> None:
    receiver.send(event(1))
    answer = receiver.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    sample = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+$')
    for line in answer.text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.match(line), line


HEAD = b"POST /webhook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"


@pytest.mark.parametrize(
    "beginning", [b"", b"\r\n", b"POST /web", HEAD, HEAD + b"\r\n", HEAD + b"\r\n" + b"x" * 99], ids=len
)
def test_a_client_that_does_not_finish_is_cut(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver], beginning: bytes
) -> None:
    receiver = start_receiver(client_timeout_seconds=1)
    client = connect(receiver)
    client.send(beginning)
    assert not client.is_closed_within(0.5)
    assert client.is_closed_within(5)


def test_a_client_that_drips_is_cut(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(client_timeout_seconds=1)
    client = connect(receiver)
    client.send(HEAD + b"\r\n")
    began = time.monotonic()
    while not client.is_closed_within(0.2):
        client.send(b"x")
        assert time.monotonic() - began < 5


def test_a_connection_at_rest_between_requests_is_kept(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(client_timeout_seconds=1)
    with requests.Session() as session:
        headers = {"x-line-signature": signature(body_of())}
        for _ in range(2):
            assert session.post(f"{receiver.url}/webhook/main", data=body_of(), headers=headers, timeout=5).ok
            time.sleep(1.5)
        client = connect(receiver)
        request = b"POST /webhook/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        client.send(request)
        time.sleep(1.5)
        client.send(request)
        assert not client.is_closed_within(0.5)


def test_a_head_without_end_is_cut(connect: Callable[[Receiver], Connection], receiver: Receiver) -> None:
    client = connect(receiver)
    with pytest.raises(OSError, match=r".*"):  # noqa: PT012 - the receiver may cut at any of them
        client.send(b"POST /webhook/main HTTP/1.1\r\nX: ")
        for _ in range(1000):
            client.send(b"x" * 65536)
    assert receiver.send(event(1)) == 200


def test_bodies_are_not_held_without_bound(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(max_buffered_bytes=1_000_000, client_timeout_seconds=3)
    body = b"x" * 400_000
    head = b"POST /webhook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 400001\r\n\r\n"
    clients = [connect(receiver) for _ in range(4)]
    for client in clients:
        client.send(head + body)
    time.sleep(0.5)
    assert receiver.metric("tap_line_webhook_buffered_bytes") <= 1_000_000
    assert receiver.metric('tap_line_webhook_requests_total{channel="main",status="503"}') >= 1
    for client in clients:
        assert client.is_closed_within(10)
    assert receiver.metric("tap_line_webhook_buffered_bytes") == 0
    assert receiver.send(event(1)) == 200


def test_connections_are_not_kept_without_bound(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(max_connections=5, client_timeout_seconds=2)
    clients = [connect(receiver) for _ in range(10)]
    assert receiver.send(event(1)) == 503
    for client in clients:
        client.socket.close()
    time.sleep(0.2)
    assert receiver.send(event(1)) == 200


def test_a_purge_by_retention_removes_old_events_while_serving(start_receiver: Callable[..., Receiver]) -> None:
    settings: dict[str, Any] = {"inbox_retention_days": 1e-9, "inbox_purge_unread": True}
    first = start_receiver()
    first.send(event(1, "postback"))
    second = start_receiver(first.store_url, **settings)
    deadline = time.monotonic() + 10
    while second.stored():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert second.metric("tap_line_webhook_purged_events_total") == 1
