"""Faults: what goes wrong, for whom, how often, and whether the request had its effect all the same."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
from linebot.v3.messaging import PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import (
    ApiException,
    ApiTypeError,
    ApiValueError,
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)

from tests.support.sandbox_clients import Sdk

if TYPE_CHECKING:
    from tests.support.sandbox_clients import Control

PUSH = "/v2/bot/message/push"


def push_once(control: Control, **how: Any) -> requests.Response:
    return control.push(control.followers(1)[0], key=str(uuid.uuid4()), **how)


@pytest.mark.parametrize(("kind", "delivered"), [("status", 0), ("status_after_accept", 1)])
def test_a_status_in_the_place_of_the_answer(control: Control, kind: str, delivered: int) -> None:
    control.fault(kind, PUSH, status=503, count=1)
    answer = push_once(control)
    assert (answer.status_code, answer.json()) == (503, {"message": "Internal Server Error"})
    assert answer.headers["x-line-request-id"]
    assert len(control.deliveries()) == delivered
    assert push_once(control).status_code == 200
    assert control.get("summary")["requests"] == {"POST " + PUSH: {"200": 1, "503": 1}}


@pytest.mark.parametrize(
    ("kind", "delivered"),
    [("drop_before", 0), ("drop_after_accept", 1), ("timeout", 0), ("timeout_after_accept", 1)],
)
def test_the_connection_is_dropped_without_an_answer(control: Control, kind: str, delivered: int) -> None:
    control.fault(kind, PUSH, count=1, seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        push_once(control)
    assert len(control.deliveries()) == delivered
    assert control.get("summary")["requests"]["POST " + PUSH] == {"dropped": 1}
    assert push_once(control).status_code == 200, "other connections go on"


def test_after_a_lost_answer_the_same_key_tells_that_it_was_accepted(control: Control) -> None:
    key, person = str(uuid.uuid4()), control.followers(1)[0]
    control.fault("drop_after_accept", PUSH, count=1)
    with pytest.raises(requests.ConnectionError):
        control.push(person, key=key)
    answer = control.push(person, key=key)
    (delivery,) = control.deliveries()
    assert answer.status_code == 409
    assert answer.headers["x-line-accepted-request-id"] == delivery["request_id"]


def test_a_timeout_outlasts_an_impatient_client(control: Control) -> None:
    control.fault("timeout_after_accept", PUSH, count=1, seconds=30)
    started = time.monotonic()
    with pytest.raises(requests.Timeout):
        control.line(
            "POST",
            PUSH,
            json={"to": control.followers(1)[0], "messages": [{"type": "text", "text": "x"}]},
            timeout=0.3,
        )
    assert time.monotonic() - started < 10
    assert len(control.deliveries()) == 1


def test_a_malformed_answer_is_no_json(control: Control) -> None:
    control.fault("malformed", PUSH, count=1)
    answer = push_once(control)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert len(control.deliveries()) == 1


def test_a_slow_answer_comes_bit_by_bit_and_whole(control: Control) -> None:
    control.fault("slow", PUSH, count=1, seconds=0.5)
    started = time.monotonic()
    answer = push_once(control)
    assert time.monotonic() - started >= 0.45
    assert answer.json()["sentMessages"]


def test_a_fault_meets_its_paths_and_method_alone(control: Control) -> None:
    control.fault("status", "/v2/bot/message/", method="post", status=500)
    assert push_once(control).status_code == 500
    assert control.line("GET", "/v2/bot/message/quota").status_code == 200
    assert control.line("GET", "/v2/bot/info").status_code == 200
    assert control.line("POST", "/v2/bot/message/validate/push", json={}).status_code == 500


def test_a_fault_meets_a_number_of_requests(control: Control) -> None:
    control.fault("status", PUSH, status=429, count=3)
    assert [push_once(control).status_code for _ in range(5)] == [429, 429, 429, 200, 200]
    (fault,) = control.get("faults")["faults"]
    assert (fault["met"], fault["left"]) == (3, 0)


def test_a_probable_fault_is_the_same_for_the_same_seed(control: Control) -> None:
    runs = []
    for seed in (7, 7, 8):
        requests.delete(control.url + "/sandbox/faults", timeout=10).raise_for_status()
        control.fault("status", "/v2/bot/info", probability=0.4, seed=seed)
        runs.append([control.line("GET", "/v2/bot/info").status_code for _ in range(60)])
    assert runs[0] == runs[1] != runs[2]
    assert 10 < runs[0].count(500) < 40


def test_faults_are_lifted(control: Control) -> None:
    control.fault("status", "/")
    assert control.line("GET", "/v2/bot/info").status_code == 500
    requests.delete(control.url + "/sandbox/faults", timeout=10).raise_for_status()
    assert control.line("GET", "/v2/bot/info").status_code == 200


def test_a_fault_never_meets_the_control_api(control: Control) -> None:
    control.fault("status", "/")
    assert control.get("health") == {"status": "ok"}


def test_a_fault_survives_a_reset(control: Control) -> None:
    control.fault("status", "/v2/bot/info")
    control.post("reset")
    assert control.line("GET", "/v2/bot/info").status_code == 500


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "explode"},
        {"kind": "status", "status": 99},
        {"kind": "status", "probability": 2},
        {"kind": "slow", "seconds": -1},
        {"kind": "status", "pth": "/x"},
        {},
    ],
)
def test_a_fault_that_is_none_is_refused(control: Control, fault: dict[str, Any]) -> None:
    answer = requests.post(control.url + "/sandbox/faults", json=fault, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert control.get("faults") == {"faults": []}


async def test_each_error_class_of_the_sdk_is_provoked(control: Control) -> None:
    client = Sdk(control.url, is_async=False)
    wrong = Sdk(control.url, is_async=False, token="wrong")
    hello = [TextMessage(text="hello")]
    with pytest.raises(UnauthorizedException):
        await wrong.messaging.get_bot_info()
    with pytest.raises(NotFoundException):
        await client.messaging.get_profile("U" + "0" * 32)
    with pytest.raises(ApiException) as bad_request:
        await client.messaging.push_message(PushMessageRequest(to="U" + "0" * 32, messages=hello))
    assert bad_request.value.status == 400
    with pytest.raises(ForbiddenException):
        await client.messaging.get_pnp_message_statistics("20260101")
    control.fault("status", "/v2/bot/info", status=500)
    with pytest.raises(ServiceException):
        await client.messaging.get_bot_info()
    with pytest.raises(ApiTypeError):
        await client.messaging.get_bot_info(surprise=True)
    with pytest.raises(ApiValueError):
        await client.messaging_blob.get_message_content("1", _host_index=3)
    for one in (client, wrong):
        await one.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 415, 429, 500, 502, 503])
async def test_the_asynchronous_client_sees_every_status(control: Control, status: int) -> None:
    client = Sdk(control.url, is_async=True)
    control.fault("status", "/v2/bot/info", status=status)
    with pytest.raises(ApiException) as error:
        await client.messaging.get_bot_info()
    assert error.value.status == status
    assert error.value.headers["x-line-request-id"]
    await client.close()
