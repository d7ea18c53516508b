"""Retry keys: within 24 hours, only one request with a key is accepted."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import requests
from linebot.v3.messaging import MulticastRequest, PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient, Sdk

KEY = "123e4567-e89b-12d3-a456-426614174000"


def send(sandbox: SandboxClient, method: str, key: str = KEY) -> requests.Response:
    line_id = sandbox.followers(1)[0]
    body: dict[str, Any] = {"messages": [{"type": "text", "text": "once"}, {"type": "text", "text": "only"}]}
    if method in ("push", "multicast"):
        body["to"] = line_id if method == "push" else [line_id]
    return sandbox.request("POST", f"/v2/bot/message/{method}", json=body, headers={"x-line-retry-key": key})


@pytest.mark.parametrize("method", ["push", "multicast", "broadcast", "narrowcast"])
def test_a_second_request_with_a_key_is_a_conflict(sandbox: SandboxClient, method: str) -> None:
    first, second, third = (send(sandbox, method) for _ in range(3))
    assert first.ok
    for response in (second, third):
        assert response.status_code == 409
        assert response.json()["message"] == "The retry key is already accepted"
        assert response.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    request_ids = {response.headers["x-line-request-id"] for response in (first, second, third)}
    assert len(request_ids) == 3
    sandbox.advance(60)
    delivered = sandbox.deliveries()
    assert len(delivered) == (1 if method in ("push", "multicast") else 1000)
    assert {delivery["retry_key"] for delivery in delivered} == {KEY}


def test_the_conflict_of_a_push_repeats_the_sent_messages(sandbox: SandboxClient) -> None:
    first, second = send(sandbox, "push"), send(sandbox, "push")
    assert second.json()["sentMessages"] == first.json()["sentMessages"]
    assert len(first.json()["sentMessages"]) == 2


def test_the_conflict_of_a_multicast_has_no_sent_messages(sandbox: SandboxClient) -> None:
    send(sandbox, "multicast")
    assert set(send(sandbox, "multicast").json()) == {"message"}


@pytest.mark.parametrize("first", ["rejected", "server error", "no response"])
def test_a_key_expires_24_hours_after_its_first_request(sandbox: SandboxClient, first: str) -> None:
    if first == "rejected":
        assert sandbox.push("U" + "0" * 32, key=KEY).status_code == 400
    elif first == "server error":
        sandbox.fault("status", count=1)
        assert send(sandbox, "push").status_code == 500
    else:
        sandbox.fault("drop_before", count=1)
        with pytest.raises(requests.ConnectionError):
            send(sandbox, "push")
    sandbox.advance(23 * 3600)
    assert send(sandbox, "push").status_code == 200
    assert send(sandbox, "push").status_code == 409
    sandbox.advance(3600)
    assert send(sandbox, "push").status_code == 200, "24 hours after the first request, the key is new"
    sandbox.advance(23 * 3600)
    assert send(sandbox, "push").status_code == 409


def test_a_key_of_an_accepted_request_expires_after_24_hours(sandbox: SandboxClient) -> None:
    send(sandbox, "push")
    sandbox.advance(24 * 3600 - 30)
    assert send(sandbox, "push").status_code == 409
    sandbox.advance(30)
    assert send(sandbox, "push").status_code == 200, "the key is accepted again after it has expired"
    assert send(sandbox, "push").status_code == 409
    assert len(sandbox.deliveries()) == 2


def test_keys_are_case_insensitive(sandbox: SandboxClient) -> None:
    assert send(sandbox, "push", KEY.upper()).status_code == 200
    assert send(sandbox, "push", KEY).status_code == 409
    assert sandbox.deliveries()[0]["retry_key"] == KEY


def test_a_key_conflicts_with_later_requests_regardless_of_their_content(sandbox: SandboxClient) -> None:
    send(sandbox, "push")
    first, second = sandbox.followers(2)
    assert sandbox.push(second, "another text", key=KEY).status_code == 409
    assert send(sandbox, "multicast").status_code == 409
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == [first]


@pytest.mark.parametrize("key", ["", "no-uuid", "123e4567e89b12d3a456426614174000", KEY + "0"])
def test_a_key_that_is_not_a_uuid_is_rejected(sandbox: SandboxClient, key: str) -> None:
    response = send(sandbox, "push", key)
    assert (response.status_code, sandbox.deliveries()) == (400, [])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/bot/info"), ("POST", "/v2/bot/message/validate/push"), ("POST", "/v2/bot/message/reply")],
)
def test_other_endpoints_reject_a_key(sandbox: SandboxClient, method: str, path: str) -> None:
    assert sandbox.request(method, path, json={}, headers={"x-line-retry-key": KEY}).status_code == 400


def test_a_rejected_request_does_not_use_its_key(sandbox: SandboxClient) -> None:
    assert sandbox.push("U" + "0" * 32, key=KEY).status_code == 400
    assert send(sandbox, "push").status_code == 200


def test_an_accepted_request_without_recipients_uses_its_key(sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    sandbox.set_user(line_id, "blocked")
    assert sandbox.push(line_id, key=KEY).status_code == 200
    sandbox.set_user(line_id, "following")
    assert sandbox.push(line_id, key=KEY).status_code == 409
    assert sandbox.deliveries() == []


def test_requests_without_a_key_are_all_delivered(sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    for _ in range(3):
        assert sandbox.push(line_id).status_code == 200
    assert len(sandbox.deliveries()) == 3


async def test_the_sdk_raises_the_conflict(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    push = PushMessageRequest(to=line_id, messages=[TextMessage(text="once")])
    await sdk.messaging.push_message(push, x_line_retry_key=KEY)
    with pytest.raises(ApiException) as error:
        await sdk.messaging.push_message(push, x_line_retry_key=KEY)
    assert error.value.status == 409
    assert error.value.headers["x-line-accepted-request-id"] == sandbox.deliveries()[0]["request_id"]
    other = str(uuid.uuid4())
    multicast = MulticastRequest(to=[line_id], messages=[TextMessage(text="once")])
    await sdk.messaging.multicast(multicast, x_line_retry_key=other)
    with pytest.raises(ApiException) as error:
        await sdk.messaging.multicast(multicast, x_line_retry_key=other)
    assert error.value.status == 409


async def test_one_of_many_concurrent_requests_with_a_key_is_delivered(sandbox: SandboxClient) -> None:
    line_ids = sandbox.followers(20)
    keys = {line_id: str(uuid.uuid4()) for line_id in line_ids}

    async def push(session: aiohttp.ClientSession, line_id: str) -> tuple[str, int]:
        body = {"to": line_id, "messages": [{"type": "text", "text": "once"}]}
        headers = sandbox.headers | {"x-line-retry-key": keys[line_id]}
        async with session.post(sandbox.url + "/v2/bot/message/push", json=body, headers=headers) as response:
            return line_id, response.status

    async with aiohttp.ClientSession() as session:
        results = await asyncio.gather(*(push(session, line_id) for line_id in line_ids * 15))
    for line_id in line_ids:
        statuses = sorted(status for recipient, status in results if recipient == line_id)
        assert statuses == [200] + [409] * 14
    delivered = [(delivery["line_id"], delivery["retry_key"]) for delivery in sandbox.deliveries()]
    assert sorted(delivered) == sorted(keys.items())
