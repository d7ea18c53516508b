"""Retry keys: a request is accepted once under a key, for 24 hours, whatever happens on the way."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from linebot.v3.messaging import MulticastRequest, PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    import requests

    from tests.support.sandbox_clients import Control, Sdk

KEY = "123e4567-e89b-12d3-a456-426614174000"


def send(control: Control, way: str, key: str = KEY) -> requests.Response:
    person = control.followers(1)[0]
    body: dict[str, Any] = {"messages": [{"type": "text", "text": "once"}, {"type": "text", "text": "only"}]}
    if way in ("push", "multicast"):
        body["to"] = person if way == "push" else [person]
    return control.line("POST", f"/v2/bot/message/{way}", json=body, headers={"x-line-retry-key": key})


@pytest.mark.parametrize("way", ["push", "multicast", "broadcast", "narrowcast"])
def test_the_second_request_under_a_key_is_a_conflict(control: Control, way: str) -> None:
    first, second, third = (send(control, way) for _ in range(3))
    assert first.ok
    for answer in (second, third):
        assert answer.status_code == 409
        assert answer.json()["message"] == "The retry key is already accepted"
        assert answer.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    request_ids = {answer.headers["x-line-request-id"] for answer in (first, second, third)}
    assert len(request_ids) == 3
    control.advance(60)
    delivered = control.deliveries()
    assert len(delivered) == (1 if way in ("push", "multicast") else 1000)
    assert {delivery["retry_key"] for delivery in delivered} == {KEY}


def test_a_push_is_told_of_the_messages_that_were_sent_then(control: Control) -> None:
    first, second = send(control, "push"), send(control, "push")
    assert second.json()["sentMessages"] == first.json()["sentMessages"]
    assert len(first.json()["sentMessages"]) == 2


def test_other_endpoints_are_not_told_of_messages(control: Control) -> None:
    send(control, "multicast")
    assert set(send(control, "multicast").json()) == {"message"}


def test_a_key_ends_24_hours_after_its_acceptance(control: Control) -> None:
    send(control, "push")
    control.advance(24 * 3600 - 30)
    assert send(control, "push").status_code == 409
    control.advance(30)
    assert send(control, "push").status_code == 200, "LINE takes it for a new request"
    assert send(control, "push").status_code == 409
    assert len(control.deliveries()) == 2


def test_a_key_is_the_same_however_it_is_written(control: Control) -> None:
    assert send(control, "push", KEY.upper()).status_code == 200
    assert send(control, "push", KEY).status_code == 409
    assert control.deliveries()[0]["retry_key"] == KEY


def test_a_key_is_bound_to_the_first_request_whatever_the_later_ones_hold(control: Control) -> None:
    send(control, "push")
    first, second = control.followers(2)
    assert control.push(second, "other words", key=KEY).status_code == 409
    assert send(control, "multicast").status_code == 409
    assert [delivery["line_id"] for delivery in control.deliveries()] == [first]


@pytest.mark.parametrize("key", ["", "no-uuid", "123e4567e89b12d3a456426614174000", KEY + "0"])
def test_a_key_is_a_uuid(control: Control, key: str) -> None:
    answer = send(control, "push", key)
    assert (answer.status_code, control.deliveries()) == (400, [])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/bot/info"), ("POST", "/v2/bot/message/validate/push"), ("POST", "/v2/bot/message/reply")],
)
def test_other_endpoints_refuse_a_key(control: Control, method: str, path: str) -> None:
    assert control.line(method, path, json={}, headers={"x-line-retry-key": KEY}).status_code == 400


def test_a_refused_request_does_not_use_its_key_up(control: Control) -> None:
    assert control.push("U" + "0" * 32, key=KEY).status_code == 400
    assert send(control, "push").status_code == 200


def test_a_request_that_reached_nobody_uses_its_key_up_all_the_same(control: Control) -> None:
    person = control.followers(1)[0]
    control.set_user(person, "blocked")
    assert control.push(person, key=KEY).status_code == 200
    control.set_user(person, "following")
    assert control.push(person, key=KEY).status_code == 409
    assert control.deliveries() == []


def test_without_a_key_every_request_is_delivered(control: Control) -> None:
    person = control.followers(1)[0]
    for _ in range(3):
        assert control.push(person).status_code == 200
    assert len(control.deliveries()) == 3


async def test_the_sdk_sees_the_conflict(sdk: Sdk, control: Control) -> None:
    person = control.followers(1)[0]
    push = PushMessageRequest(to=person, messages=[TextMessage(text="once")])
    await sdk.messaging.push_message(push, x_line_retry_key=KEY)
    with pytest.raises(ApiException) as error:
        await sdk.messaging.push_message(push, x_line_retry_key=KEY)
    assert error.value.status == 409
    assert error.value.headers["x-line-accepted-request-id"] == control.deliveries()[0]["request_id"]
    other = str(uuid.uuid4())
    multicast = MulticastRequest(to=[person], messages=[TextMessage(text="once")])
    await sdk.messaging.multicast(multicast, x_line_retry_key=other)
    with pytest.raises(ApiException) as error:
        await sdk.messaging.multicast(multicast, x_line_retry_key=other)
    assert error.value.status == 409


async def test_of_many_requests_at_once_under_a_key_one_is_delivered(control: Control) -> None:
    people = control.followers(20)
    keys = {person: str(uuid.uuid4()) for person in people}

    async def push(session: aiohttp.ClientSession, person: str) -> tuple[str, int]:
        body = {"to": person, "messages": [{"type": "text", "text": "once"}]}
        headers = control.headers | {"x-line-retry-key": keys[person]}
        async with session.post(control.url + "/v2/bot/message/push", json=body, headers=headers) as answer:
            return person, answer.status

    async with aiohttp.ClientSession() as session:
        answers = await asyncio.gather(*(push(session, person) for person in people * 15))
    for person in people:
        statuses = sorted(status for answered, status in answers if answered == person)
        assert statuses == [200] + [409] * 14
    delivered = [(delivery["line_id"], delivery["retry_key"]) for delivery in control.deliveries()]
    assert sorted(delivered) == sorted(keys.items())
