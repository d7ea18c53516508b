"""Faults: their effect on the response, which requests they apply to, and whether the request is processed."""

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
    from tests.support.sandbox_clients import SandboxClient

PUSH = "/v2/bot/message/push"


def push_once(sandbox: SandboxClient, **options: Any) -> requests.Response:
    return sandbox.push(sandbox.followers(1)[0], key=str(uuid.uuid4()), **options)


@pytest.mark.parametrize(("kind", "delivered"), [("status", 0), ("status_after_accept", 1)])
def test_a_status_fault_replaces_the_response(sandbox: SandboxClient, kind: str, delivered: int) -> None:
    sandbox.fault(kind, PUSH, status=503, count=1)
    response = push_once(sandbox)
    assert (response.status_code, response.json()) == (503, {"message": "Internal Server Error"})
    assert response.headers["x-line-request-id"]
    assert len(sandbox.deliveries()) == delivered
    assert push_once(sandbox).status_code == 200
    assert sandbox.get("summary")["requests"] == {"POST " + PUSH: {"200": 1, "503": 1}}


@pytest.mark.parametrize(("kind", "delivered"), [("status", 0), ("status_after_accept", 1)])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 503])
def test_a_status_fault_can_have_the_page_of_a_proxy_as_body(
    sandbox: SandboxClient, kind: str, delivered: int, status: int
) -> None:
    page = "<html><body>Sign in: お客様</body></html>"
    sandbox.fault(kind, PUSH, status=status, body=page, headers={"Server": "ExampleProxy", "Via": "1.1 proxy"})
    response = push_once(sandbox)
    assert (response.status_code, response.text) == (status, page)
    assert (response.headers["content-type"], response.headers["server"]) == (
        "text/html; charset=utf-8",
        "ExampleProxy",
    )
    assert "x-line-request-id" not in response.headers
    assert len(sandbox.deliveries()) == delivered


def test_a_status_fault_can_have_a_json_body_and_the_request_id_of_line(sandbox: SandboxClient) -> None:
    body = {"message": "Not found", "details": [{"property": "a\u0000b"}]}
    sandbox.fault("status", PUSH, status=404, body=body)
    response = push_once(sandbox)
    assert (response.status_code, response.json()) == (404, body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-line-request-id"], "without `headers`, the response has those of LINE"


def test_a_status_fault_can_have_given_headers_and_any_content_type(sandbox: SandboxClient) -> None:
    headers = {"Content-Type": "image/jpg", "X-Line-Request-Id": "abc", "retry-after": "3"}
    sandbox.fault("status", "/v2/bot/message/1/content", status=200, body="picture", headers=headers)
    response = sandbox.request("GET", "/v2/bot/message/1/content")
    assert (response.status_code, response.content) == (200, b"picture")
    assert all(response.headers[name] == value for name, value in headers.items())


def test_a_fault_can_apply_to_the_requests_of_one_recipient(sandbox: SandboxClient) -> None:
    first, second = sandbox.followers(2)
    sandbox.fault("status", PUSH, status=429, contains=first)
    assert [sandbox.push(line_id).status_code for line_id in (first, second, first)] == [429, 200, 429]
    (fault,) = sandbox.get("faults")["faults"]
    assert (fault["contains"], fault["met"]) == (first, 2)


def test_a_fault_can_refuse_the_second_page(sandbox: SandboxClient) -> None:
    followers = "/v2/bot/followers/ids"
    sandbox.fault("status", followers, contains="start=", status=400, body={"message": "Invalid start param"})
    page = sandbox.request("GET", followers, params={"limit": 1})
    assert page.status_code == 200
    assert sandbox.request("GET", followers, params={"start": page.json()["next"]}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "delivered"),
    [("drop_before", 0), ("drop_after_accept", 1), ("timeout", 0), ("timeout_after_accept", 1)],
)
def test_the_connection_is_closed_without_a_response(sandbox: SandboxClient, kind: str, delivered: int) -> None:
    sandbox.fault(kind, PUSH, count=1, seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        push_once(sandbox)
    assert len(sandbox.deliveries()) == delivered
    assert sandbox.get("summary")["requests"]["POST " + PUSH] == {"dropped": 1}
    assert push_once(sandbox).status_code == 200, "other connections are not affected"


def test_after_a_lost_response_the_same_retry_key_gets_status_409(sandbox: SandboxClient) -> None:
    key, user = str(uuid.uuid4()), sandbox.followers(1)[0]
    sandbox.fault("drop_after_accept", PUSH, count=1)
    with pytest.raises(requests.ConnectionError):
        sandbox.push(user, key=key)
    response = sandbox.push(user, key=key)
    (delivery,) = sandbox.deliveries()
    assert response.status_code == 409
    assert response.headers["x-line-accepted-request-id"] == delivery["request_id"]


def test_a_timeout_fault_lasts_longer_than_the_timeout_of_the_client(sandbox: SandboxClient) -> None:
    sandbox.fault("timeout_after_accept", PUSH, count=1, seconds=30)
    started = time.monotonic()
    with pytest.raises(requests.Timeout):
        sandbox.request(
            "POST",
            PUSH,
            json={"to": sandbox.followers(1)[0], "messages": [{"type": "text", "text": "x"}]},
            timeout=0.3,
        )
    assert time.monotonic() - started < 10
    assert len(sandbox.deliveries()) == 1


def test_a_malformed_response_is_not_json(sandbox: SandboxClient) -> None:
    sandbox.fault("malformed", PUSH, count=1)
    response = push_once(sandbox)
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert len(sandbox.deliveries()) == 1


def test_a_slow_response_is_delayed_and_complete(sandbox: SandboxClient) -> None:
    sandbox.fault("slow", PUSH, count=1, seconds=0.5)
    started = time.monotonic()
    response = push_once(sandbox)
    assert time.monotonic() - started >= 0.45
    assert response.json()["sentMessages"]


def test_a_fault_applies_only_to_its_path_prefix_and_method(sandbox: SandboxClient) -> None:
    sandbox.fault("status", "/v2/bot/message/", method="post", status=500)
    assert push_once(sandbox).status_code == 500
    assert sandbox.request("GET", "/v2/bot/message/quota").status_code == 200
    assert sandbox.request("GET", "/v2/bot/info").status_code == 200
    assert sandbox.request("POST", "/v2/bot/message/validate/push", json={}).status_code == 500


def test_a_fault_with_a_count_applies_to_that_many_requests(sandbox: SandboxClient) -> None:
    sandbox.fault("status", PUSH, status=429, count=3)
    assert [push_once(sandbox).status_code for _ in range(5)] == [429, 429, 429, 200, 200]
    (fault,) = sandbox.get("faults")["faults"]
    assert (fault["met"], fault["left"]) == (3, 0)


def test_a_fault_with_a_probability_repeats_with_the_same_seed(sandbox: SandboxClient) -> None:
    runs = []
    for seed in (7, 7, 8):
        requests.delete(sandbox.url + "/sandbox/faults", timeout=10).raise_for_status()
        sandbox.fault("status", "/v2/bot/info", probability=0.4, seed=seed)
        runs.append([sandbox.request("GET", "/v2/bot/info").status_code for _ in range(60)])
    assert runs[0] == runs[1] != runs[2]
    assert 10 < runs[0].count(500) < 40


LISTS = [
    ("/v2/bot/followers/ids", "userIds"),
    ("/v2/bot/coupon", "items"),
    ("/v2/bot/audienceGroup/list", "audienceGroups"),
]


def next_page(content: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the query parameters of the page after the `number`th one; empty if there is none."""
    if "hasNextPage" in content:
        return {"page": number + 1} if content["hasNextPage"] else {}
    return {"start": content["next"]} if "next" in content else {}


@pytest.mark.parametrize(("path", "items"), LISTS)
def test_a_fault_can_repeat_the_first_page(sandbox: SandboxClient, path: str, items: str) -> None:
    size = {"limit": 1, "size": 1, "page": 1}
    first = sandbox.request("GET", path, params=size).json()
    sandbox.fault("first_page", path, count=1)
    again = sandbox.request("GET", path, params=size | next_page(first, 1)).json()
    assert again[items] == first[items]
    second = sandbox.request("GET", path, params=size | next_page(again, 1)).json()
    assert second[items] != first[items]


@pytest.mark.parametrize(("path", "items"), LISTS)
def test_a_fault_can_announce_pages_without_end(sandbox: SandboxClient, path: str, items: str) -> None:
    sandbox.fault("endless_pages", path)
    parameters: dict[str, Any] = {"page": 1}
    for number in range(1, 5):
        page = sandbox.request("GET", path, params=parameters)
        assert (page.status_code, page.json()[items]) == (200, [])
        parameters = next_page(page.json(), number)
        assert parameters
    assert "next" not in sandbox.request("GET", path, params={"limit": 0, "size": 0, "page": 1}).json(), (
        "errors are unchanged"
    )


def test_faults_can_be_removed(sandbox: SandboxClient) -> None:
    sandbox.fault("status", "/")
    assert sandbox.request("GET", "/v2/bot/info").status_code == 500
    requests.delete(sandbox.url + "/sandbox/faults", timeout=10).raise_for_status()
    assert sandbox.request("GET", "/v2/bot/info").status_code == 200


def test_a_fault_does_not_apply_to_the_control_api(sandbox: SandboxClient) -> None:
    sandbox.fault("status", "/")
    assert sandbox.get("health") == {"status": "ok"}


def test_faults_remain_after_a_reset(sandbox: SandboxClient) -> None:
    sandbox.fault("status", "/v2/bot/info")
    sandbox.post("reset")
    assert sandbox.request("GET", "/v2/bot/info").status_code == 500


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "explode"},
        {"kind": "status", "status": 99},
        {"kind": "status", "probability": 2},
        {"kind": "slow", "seconds": -1},
        {"kind": "status", "pth": "/x"},
        {"kind": "slow", "body": "page"},
        {"kind": "timeout", "headers": {}},
        {"kind": "status", "headers": {"Content-Length": "3"}},
        {"kind": "status", "headers": {"a": "b\r\nc: d"}},
        {"kind": "status", "headers": {"a b": "c"}},
        {"kind": "status", "headers": {"a": 1}},
        {},
    ],
)
def test_an_invalid_fault_is_rejected(sandbox: SandboxClient, fault: dict[str, Any]) -> None:
    response = requests.post(sandbox.url + "/sandbox/faults", json=fault, timeout=10)
    assert response.status_code == 400
    assert response.json()["message"]
    assert sandbox.get("faults") == {"faults": []}


async def test_each_error_class_of_the_sdk_can_be_raised(sandbox: SandboxClient) -> None:
    client = Sdk(sandbox.url, is_async=False)
    unauthorized = Sdk(sandbox.url, is_async=False, token="wrong")
    hello = [TextMessage(text="hello")]
    with pytest.raises(UnauthorizedException):
        await unauthorized.messaging.get_bot_info()
    with pytest.raises(NotFoundException):
        await client.messaging.get_profile("U" + "0" * 32)
    with pytest.raises(ApiException) as bad_request:
        await client.messaging.push_message(PushMessageRequest(to="U" + "0" * 32, messages=hello))
    assert bad_request.value.status == 400
    with pytest.raises(ForbiddenException):
        await client.messaging.get_pnp_message_statistics("20260101")
    sandbox.fault("status", "/v2/bot/info", status=500)
    with pytest.raises(ServiceException):
        await client.messaging.get_bot_info()
    with pytest.raises(ApiTypeError):
        await client.messaging.get_bot_info(surprise=True)
    with pytest.raises(ApiValueError):
        await client.messaging_blob.get_message_content("1", _host_index=3)
    for sdk in (client, unauthorized):
        await sdk.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 415, 429, 500, 502, 503])
async def test_the_asynchronous_sdk_raises_an_error_for_every_status(sandbox: SandboxClient, status: int) -> None:
    client = Sdk(sandbox.url, is_async=True)
    sandbox.fault("status", "/v2/bot/info", status=status)
    with pytest.raises(ApiException) as error:
        await client.messaging.get_bot_info()
    assert error.value.status == status
    assert error.value.headers["x-line-request-id"]
    await client.close()
