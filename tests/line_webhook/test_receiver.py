"""The program over HTTP: responses, stored events, logs and metrics."""

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


def test_events_with_response_200_are_in_the_store(receiver: Receiver) -> None:
    assert receiver.post(body_of(*DOCUMENTED)).status_code == 200
    assert [row.type for row in receiver.stored()].count("follow") == 1
    assert len(receiver.stored()) == len(DOCUMENTED)


def test_a_redelivered_event_is_counted_and_not_changed(receiver: Receiver) -> None:
    again = event(1) | {"deliveryContext": {"isRedelivery": True}}
    assert [receiver.send(event(1)), receiver.send(again, again)] == [200, 200]
    (stored,) = receiver.stored()
    assert stored.deliveries == 3
    assert json.loads(stored.payload) == event(1)


def test_invalid_requests_get_their_status_and_are_not_stored(receiver: Receiver) -> None:
    body = body_of(event(1))
    url = f"{receiver.url}/webhook/main"
    assert requests.post(url, data=body, timeout=10).status_code == 401
    for wrong in ("", "d3Jvbmc=", signature(body, "other secret"), signature(body)[:-1], "\xe9"):
        assert receiver.post(body, sent_signature=wrong).status_code == 401
    assert receiver.post(body, channel="other").status_code == 404
    assert receiver.post(body, channel="main/").status_code == 404
    assert receiver.get("/webhook/main").status_code == 405
    assert receiver.get("/").status_code == 404
    assert receiver.post(b"not json").status_code == 400
    assert receiver.post(b'{"destination":"U"}').status_code == 400
    assert receiver.post(b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    assert receiver.stored() == []


def test_a_chunked_body_is_accepted_and_its_total_size_is_limited(receiver: Receiver) -> None:
    body = body_of(*(text(number, str(number), "a" * 1000) for number in range(500)))

    def chunks(of: bytes) -> Iterator[bytes]:
        yield from (of[begin : begin + 10_000] for begin in range(0, len(of), 10_000))

    headers = {"x-line-signature": signature(body)}
    assert requests.post(f"{receiver.url}/webhook/main", data=chunks(body), headers=headers, timeout=10).ok
    too_large = chunks(b" " * (3 * 1024 * 1024))
    response = requests.post(f"{receiver.url}/webhook/main", data=too_large, headers=headers, timeout=10)
    assert response.status_code == 413
    assert len(receiver.stored()) == 500


def test_a_request_without_events_from_the_verify_button_gets_200(receiver: Receiver) -> None:
    assert receiver.send() == 200
    assert receiver.stored() == []


def test_the_current_and_the_previous_secret_are_accepted(start_receiver: Callable[..., Receiver]) -> None:
    receiver = start_receiver(channel_secret="new", previous_channel_secret=SECRET)
    assert receiver.post(body_of(event(1)), sent_signature=signature(body_of(event(1)), "new")).status_code == 200
    assert receiver.send(event(2)) == 200
    assert receiver.post(body_of(event(3)), sent_signature=signature(body_of(event(3)), "older")).status_code == 401


def test_each_channel_accepts_only_its_own_secret(start_receiver: Callable[..., Receiver]) -> None:
    channels = [{"name": "a", "channel_secret": "sa"}, {"name": "b", "channel_secret": "sb"}]
    receiver = start_receiver(channels=json.dumps(channels), channel_secret=None)
    body = body_of(event(1))
    assert receiver.post(body, channel="a", sent_signature=signature(body, "sa")).status_code == 200
    assert receiver.post(body, channel="b", sent_signature=signature(body, "sa")).status_code == 401
    assert receiver.post(body, channel="b", sent_signature=signature(body, "sb")).status_code == 200
    assert sorted(row.channel for row in receiver.stored()) == ["a", "b"]


def test_the_log_has_a_line_per_request_and_no_personal_data(receiver: Receiver) -> None:
    receiver.send(text(1, "77", "private message") | {"source": {"type": "user", "userId": LINE_ID}})
    receiver.post(b'{"events":[{"text":"private message","userId":"' + LINE_ID.encode() + b'"')
    receiver.post(body_of(event(2)), sent_signature="wrong")
    lines = [line for line in receiver.log_lines() if line["message"] == "webhook"]
    assert [line["status"] for line in lines] == [200, 400, 401]
    assert lines[0]["channel"] == "main"
    assert lines[0]["events"] == 1
    assert lines[0]["client"] == "127.0.0.1"
    assert "not a webhook request" in lines[1]["reason"]
    log = receiver.log.read_text()
    for hidden in ("private message", LINE_ID, SECRET, "U000000"):
        assert hidden not in log


def test_the_log_level_warning_disables_the_access_log(start_receiver: Callable[..., Receiver]) -> None:
    receiver = start_receiver(log_level="warning")
    assert receiver.send(event(1)) == 200
    assert receiver.log_lines() == []


def test_metrics_count_responses_and_events(receiver: Receiver) -> None:
    for _ in range(3):
        receiver.send(event(1))
    receiver.post(b"x", sent_signature="wrong")
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
    response = receiver.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    sample = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+$')
    for line in response.text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.match(line), line


HEADERS = b"POST /webhook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"


@pytest.mark.parametrize(
    "received", [b"", b"\r\n", b"POST /web", HEADERS, HEADERS + b"\r\n", HEADERS + b"\r\n" + b"x" * 99], ids=len
)
def test_the_connection_of_an_incomplete_request_is_closed(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver], received: bytes
) -> None:
    receiver = start_receiver(client_timeout_seconds=1)
    client = connect(receiver)
    client.send(received)
    assert not client.is_closed_within(0.5)
    assert client.is_closed_within(5)


def test_the_connection_of_a_slow_request_is_closed(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(client_timeout_seconds=1)
    client = connect(receiver)
    client.send(HEADERS + b"\r\n")
    started = time.monotonic()
    while not client.is_closed_within(0.2):
        client.send(b"x")
        assert time.monotonic() - started < 5


def test_an_idle_connection_between_requests_stays_open(
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


def test_the_connection_of_a_request_with_endless_headers_is_closed(
    connect: Callable[[Receiver], Connection], receiver: Receiver
) -> None:
    client = connect(receiver)
    with pytest.raises(OSError, match=r".*"):  # noqa: PT012 - the receiver may close at any of them
        client.send(b"POST /webhook/main HTTP/1.1\r\nX: ")
        for _ in range(1000):
            client.send(b"x" * 65536)
    assert receiver.send(event(1)) == 200


def test_the_bytes_of_bodies_in_memory_are_limited(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(max_buffered_bytes=1_000_000, client_timeout_seconds=3)
    body = b"x" * 400_000
    headers = b"POST /webhook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 400001\r\n\r\n"
    clients = [connect(receiver) for _ in range(4)]
    for client in clients:
        client.send(headers + body)
    time.sleep(0.5)
    assert receiver.metric("tap_line_webhook_buffered_bytes") <= 1_000_000
    assert receiver.metric('tap_line_webhook_requests_total{channel="main",status="503"}') >= 1
    for client in clients:
        assert client.is_closed_within(10)
    assert receiver.metric("tap_line_webhook_buffered_bytes") == 0
    assert receiver.send(event(1)) == 200


def test_the_number_of_connections_is_limited(
    connect: Callable[[Receiver], Connection], start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(max_connections=5, client_timeout_seconds=2)
    clients = [connect(receiver) for _ in range(10)]
    assert receiver.send(event(1)) == 503
    for client in clients:
        client.socket.close()
    time.sleep(0.2)
    assert receiver.send(event(1)) == 200


def test_retention_removes_old_events_while_the_receiver_serves(start_receiver: Callable[..., Receiver]) -> None:
    settings: dict[str, Any] = {"inbox_retention_days": 1e-9, "inbox_purge_unread": True}
    first = start_receiver()
    first.send(event(1, "postback"))
    second = start_receiver(first.store_url, **settings)
    deadline = time.monotonic() + 10
    while second.stored():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert second.metric("tap_line_webhook_purged_events_total") == 1
