"""LINE's rate limits: one token bucket for each endpoint, refilled by the sandbox's clock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient

RATE_LIMIT_ERROR = {"message": "The API rate limit has been exceeded. Try again later."}
FOLLOWERS = "/v2/bot/insight/followers"


def statuses(sandbox: SandboxClient, method: str, path: str, count: int, **options: object) -> Counter[int]:
    return Counter(sandbox.request(method, path, **options).status_code for _ in range(count))


@pytest.mark.parametrize(
    ("method", "path", "parameters", "calls", "seconds"),
    [
        ("GET", FOLLOWERS, {"date": "20260101"}, 60, 3600),
        ("GET", "/v2/bot/insight/message/delivery", {"date": "20260101"}, 60, 3600),
        ("GET", "/v2/bot/insight/demographic", {}, 60, 3600),
        ("GET", "/v2/bot/audienceGroup/list", {"page": 1}, 60, 60),
        ("GET", "/v2/bot/richmenu/progress/batch", {"requestId": "x"}, 100, 3600),
        ("GET", "/v2/bot/richmenu/list", {}, 10, 1),
    ],
)
def test_a_bucket_empties_and_refills_gradually(
    sandbox: SandboxClient, method: str, path: str, parameters: dict[str, object], calls: int, seconds: int
) -> None:
    refill = seconds / calls
    started = time.monotonic()
    limited = statuses(sandbox, method, path, calls + 5, params=parameters)[429]
    # The bucket refills while the calls run.
    assert 5 - (time.monotonic() - started) / refill <= limited <= 5
    response = sandbox.request(method, path, params=parameters)
    while response.status_code != 429:
        response = sandbox.request(method, path, params=parameters)
    assert response.json() == RATE_LIMIT_ERROR
    assert "x-line-request-id" in response.headers
    assert "retry-after" not in response.headers
    sandbox.advance(2 * refill)
    assert sandbox.request(method, path, params=parameters).status_code != 429
    sandbox.advance(seconds)
    assert statuses(sandbox, method, path, calls, params=parameters)[429] == 0


def test_an_endpoint_has_one_bucket_for_all_query_parameters(sandbox: SandboxClient) -> None:
    for day in range(60):
        assert sandbox.request("GET", FOLLOWERS, params={"date": f"202601{day % 28 + 1:02d}"}).status_code == 200
    assert sandbox.request("GET", FOLLOWERS, params={"date": "20260301"}).status_code == 429
    deliveries = sandbox.request("GET", "/v2/bot/insight/message/delivery", params={"date": "20260101"})
    assert deliveries.status_code == 200


def test_paths_of_one_endpoint_with_different_ids_share_a_bucket(sandbox: SandboxClient) -> None:
    paths = [f"/v2/bot/insight/richmenu/richmenu-{number:032x}/daily" for number in range(61)]
    responses = [sandbox.request("GET", path).status_code for path in paths]
    assert responses == [404] * 60 + [429]


def test_requests_with_an_invalid_token_do_not_count(sandbox: SandboxClient) -> None:
    wrong = {"authorization": "Bearer wrong"}
    for _ in range(70):
        assert sandbox.request("GET", FOLLOWERS, headers=wrong).status_code == 401
    assert sandbox.request("GET", FOLLOWERS, params={"date": "20260101"}).status_code == 200


def test_the_retry_key_of_a_rate_limited_request_stays_unused(sandbox: SandboxClient) -> None:
    key = "123e4567-e89b-12d3-a456-426614174000"
    body = {"messages": [{"type": "text", "text": "hello"}]}
    broadcast = "/v2/bot/message/broadcast"
    for _ in range(60):
        assert sandbox.request("POST", broadcast, json={"messages": []}).status_code == 400, (
            "invalid requests count too"
        )
    headers = {"x-line-retry-key": key}
    assert sandbox.request("POST", broadcast, json=body, headers=headers).status_code == 429
    sandbox.advance(60)
    assert sandbox.request("POST", broadcast, json=body, headers=headers).status_code == 200


async def test_about_two_hundred_multicasts_per_second_are_accepted(sandbox: SandboxClient) -> None:
    body = {"to": sandbox.followers(1), "messages": [{"type": "text", "text": "hello"}]}
    loop = asyncio.get_running_loop()

    async def multicast(session: aiohttp.ClientSession) -> int:
        url = sandbox.url + "/v2/bot/message/multicast"
        async with session.post(url, json=body, headers=sandbox.headers) as response:
            return response.status

    async with aiohttp.ClientSession() as session:
        started = loop.time()
        counts = Counter(await asyncio.gather(*(multicast(session) for _ in range(1000))))
        seconds = loop.time() - started
    assert 200 <= counts[200] <= 200 + 200 * seconds + 1
    assert counts[200] + counts[429] == 1000
    assert len(sandbox.deliveries()) == counts[200]


def test_rate_limits_can_be_disabled(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--no-rate-limits", "--followers", 3)
    assert statuses(sandbox, "GET", FOLLOWERS, 70, params={"date": "20260101"}) == {200: 70}
