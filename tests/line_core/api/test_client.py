"""The asyncio client, against the sandbox over real HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import requests

from line_core.api import LineClient
from line_core.api.errors import (
    MalformedResponseError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnreachableError,
    error_from_response,
)
from line_core.api.tokens import StatelessToken, StaticToken
from tests.support.rate_limiter_simulation import InMemoryRateLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

INFO = "/v2/bot/info"
PUSH = "/v2/bot/message/push"


def requests_seen(sandbox_url: str, endpoint: str) -> dict[str, int]:
    counts: dict[str, dict[str, int]] = requests.get(f"{sandbox_url}/sandbox/summary", timeout=10).json()["requests"]
    return counts.get(endpoint, {})


def first_follower(sandbox_url: str) -> str:
    listed: list[str] = requests.get(f"{sandbox_url}/sandbox/users", timeout=10).json()["line_ids"]
    return listed[0]


def advance_clock(sandbox_url: str, seconds: float) -> None:
    requests.post(f"{sandbox_url}/sandbox/clock", json={"advance_seconds": seconds}, timeout=10).raise_for_status()


async def test_a_response_has_status_headers_and_body(
    sandbox_url: str, token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.request("GET", INFO)
    assert response.status == 200
    assert response.request_id
    assert response.json()["chatMode"] in {"chat", "bot"}


async def test_an_error_status_is_returned_as_a_response(
    sandbox_url: str, token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.request("GET", f"/v2/bot/profile/U{0:032x}")
    assert isinstance(error_from_response(response), NotFoundError)


async def test_a_body_and_a_retry_key_are_sent(
    sandbox_url: str, token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    line_id = first_follower(sandbox_url)
    body = f'{{"to": "{line_id}", "messages": [{{"type": "text", "text": "hi"}}]}}'.encode()
    key = {"X-Line-Retry-Key": "123e4567-e89b-12d3-a456-426614174000"}
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        first = await line.request("POST", PUSH, body=body, headers=key)
        second = await line.request("POST", PUSH, body=body, headers=key)
    assert (first.status, second.status) == (200, 409)
    assert second.accepted_request_id == first.request_id


@pytest.mark.parametrize(
    ("kind", "may_have_arrived"), [("drop_before", True), ("drop_after_accept", True), ("timeout", True)]
)
async def test_after_a_broken_connection_the_request_may_have_arrived(
    sandbox_url: str, add_fault: Callable[..., None], token: StaticToken, kind: str, *, may_have_arrived: bool
) -> None:
    add_fault(kind, PUSH, method="POST")
    async with LineClient(sandbox_url, token, InMemoryRateLimiter(), timeout_seconds=0.3) as line:
        with pytest.raises(UnreachableError) as raised:
            await line.request("POST", PUSH, body=b"{}")
    assert raised.value.may_have_arrived is may_have_arrived
    assert raised.value.setting == "api_url"


async def test_after_a_refused_connection_the_request_cannot_have_arrived(
    token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    async with LineClient("http://127.0.0.1:1", token, rate_limiter) as line:
        with pytest.raises(UnreachableError, match="Connect") as raised:
            await line.request("POST", PUSH, body=b"{}")
    assert not raised.value.may_have_arrived


async def test_a_slow_response_times_out(
    sandbox_url: str, add_fault: Callable[..., None], token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    add_fault("slow", INFO, seconds=5)
    started_at = time.monotonic()
    async with LineClient(sandbox_url, token, rate_limiter, timeout_seconds=0.3) as line:
        with pytest.raises(UnreachableError, match="TimeoutError"):
            await line.request("GET", INFO)
    assert time.monotonic() - started_at < 3


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "drop_before"}, {"kind": "status", "status": 429}]
)
async def test_a_get_is_retried_until_it_succeeds(
    sandbox_url: str,
    add_fault: Callable[..., None],
    token: StaticToken,
    rate_limiter: InMemoryRateLimiter,
    fault: dict[str, object],
) -> None:
    add_fault(path=INFO, count=3, **fault)
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.get(INFO)
    assert response.status == 200


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, ServerError),
        ({"kind": "status", "status": 429}, RateLimitError),
        ({"kind": "drop_before"}, UnreachableError),
    ],
)
async def test_a_get_fails_when_no_attempt_is_left(
    sandbox_url: str,
    add_fault: Callable[..., None],
    token: StaticToken,
    fault: dict[str, object],
    error: type[Exception],
) -> None:
    add_fault(path=INFO, **fault)
    async with LineClient(sandbox_url, token, InMemoryRateLimiter()) as line:
        with pytest.raises(error):
            await line.get(INFO)


async def test_a_post_is_never_retried_automatically(
    sandbox_url: str, add_fault: Callable[..., None], token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    add_fault("status", PUSH, method="POST", status=500)
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.request("POST", PUSH, body=b"{}")
    assert response.status == 500
    assert requests_seen(sandbox_url, "POST /v2/bot/message/push") == {"500": 1}


async def test_the_error_about_a_malformed_body_names_the_request(
    sandbox_url: str, add_fault: Callable[..., None], token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    add_fault("malformed", INFO)
    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.get(INFO)
    with pytest.raises(MalformedResponseError, match=f"GET {INFO}, status 200, request {response.request_id}"):
        response.json()


async def test_a_token_that_expired_early_is_replaced_during_a_run(
    sandbox_url: str, rate_limiter: InMemoryRateLimiter
) -> None:
    tokens = StatelessToken(sandbox_url, "1234567890", "sandbox-secret")
    async with LineClient(sandbox_url, tokens, rate_limiter) as line:
        first = await line.request("GET", INFO)
        advance_clock(sandbox_url, 1000)
        second = await line.request("GET", INFO)
    assert (first.status, second.status) == (200, 200)


async def test_concurrent_requests_share_the_connections(sandbox_url: str, token: StaticToken) -> None:
    async with LineClient(sandbox_url, token, InMemoryRateLimiter(), connections=200) as line:
        responses = await asyncio.gather(*(line.request("GET", INFO) for _ in range(400)))
    assert {response.status for response in responses} == {200}


async def test_the_last_check_of_a_request_is_made_when_it_has_a_connection(
    sandbox_url: str, token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    checks: list[str] = []

    async def wait() -> None:
        checks.append("waited")

    def check() -> Awaitable[None] | None:
        checks.append("asked")
        return wait() if len(checks) == 1 else None

    async with LineClient(sandbox_url, token, rate_limiter) as line:
        response = await line.request("GET", "/v2/bot/info", before_send=check)
        assert (response.status, checks) == (200, ["asked", "waited", "asked"])
        assert (await line.request("GET", "/v2/bot/info")).status == 200
        assert len(checks) == 3


async def test_a_request_that_is_held_back_does_not_leave(
    sandbox_url: str, token: StaticToken, rate_limiter: InMemoryRateLimiter
) -> None:
    class HeldBackError(Exception):
        pass

    def check() -> None:
        raise HeldBackError

    async with LineClient(sandbox_url, token, rate_limiter) as line:
        for _ in range(300):  # more than the client has connections
            with pytest.raises(HeldBackError):
                await line.request("GET", "/v2/bot/info", before_send=check)
        assert (await line.get("/v2/bot/info")).status == 200
        assert line.activity.unanswered == 0
    assert requests_seen(sandbox_url, "GET /v2/bot/info") == {"200": 1}
