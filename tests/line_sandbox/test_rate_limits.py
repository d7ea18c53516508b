"""LINE's rate limits: buckets that refill by the sandbox's clock, one for each endpoint."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import Control

RATE = {"message": "The API rate limit has been exceeded. Try again later."}
FOLLOWERS = "/v2/bot/insight/followers"


def statuses(control: Control, method: str, path: str, count: int, **how: object) -> Counter[int]:
    return Counter(control.line(method, path, **how).status_code for _ in range(count))


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
def test_a_bucket_empties_and_refills_bit_by_bit(
    control: Control, method: str, path: str, parameters: dict[str, object], calls: int, seconds: int
) -> None:
    refill = seconds / calls
    limited = statuses(control, method, path, calls + 5, params=parameters)[429]
    # In the real time that the calls take, a bucket of seconds refills a little.
    assert limited == 5 if refill >= 1 else limited <= 5
    answer = control.line(method, path, params=parameters)
    while answer.status_code != 429:
        answer = control.line(method, path, params=parameters)
    assert answer.json() == RATE
    assert "x-line-request-id" in answer.headers
    assert "retry-after" not in answer.headers
    control.advance(2 * refill)
    assert control.line(method, path, params=parameters).status_code != 429
    control.advance(seconds)
    assert statuses(control, method, path, calls, params=parameters)[429] == 0


def test_every_endpoint_has_its_own_bucket_whatever_the_parameters(control: Control) -> None:
    for day in range(60):
        assert control.line("GET", FOLLOWERS, params={"date": f"202601{day % 28 + 1:02d}"}).status_code == 200
    assert control.line("GET", FOLLOWERS, params={"date": "20260301"}).status_code == 429
    deliveries = control.line("GET", "/v2/bot/insight/message/delivery", params={"date": "20260101"})
    assert deliveries.status_code == 200


def test_paths_with_other_ids_share_a_bucket(control: Control) -> None:
    paths = [f"/v2/bot/insight/richmenu/richmenu-{number:032x}/daily" for number in range(61)]
    answers = [control.line("GET", path).status_code for path in paths]
    assert answers == [404] * 60 + [429]


def test_a_refused_token_takes_nothing_from_the_bucket(control: Control) -> None:
    wrong = {"authorization": "Bearer wrong"}
    for _ in range(70):
        assert control.line("GET", FOLLOWERS, headers=wrong).status_code == 401
    assert control.line("GET", FOLLOWERS, params={"date": "20260101"}).status_code == 200


def test_a_rate_limited_push_was_not_accepted_and_its_key_is_free(control: Control) -> None:
    key = "123e4567-e89b-12d3-a456-426614174000"
    body = {"messages": [{"type": "text", "text": "hello"}]}
    broadcast = "/v2/bot/message/broadcast"
    for _ in range(60):
        assert control.line("POST", broadcast, json={"messages": []}).status_code == 400, "counted all the same"
    headers = {"x-line-retry-key": key}
    assert control.line("POST", broadcast, json=body, headers=headers).status_code == 429
    control.advance(60)
    assert control.line("POST", broadcast, json=body, headers=headers).status_code == 200


async def test_of_a_burst_of_multicasts_about_two_hundred_a_second_pass(control: Control) -> None:
    body = {"to": control.followers(1), "messages": [{"type": "text", "text": "hello"}]}
    loop = asyncio.get_running_loop()

    async def multicast(session: aiohttp.ClientSession) -> int:
        url = control.url + "/v2/bot/message/multicast"
        async with session.post(url, json=body, headers=control.headers) as answer:
            return answer.status

    async with aiohttp.ClientSession() as session:
        started = loop.time()
        counts = Counter(await asyncio.gather(*(multicast(session) for _ in range(1000))))
        seconds = loop.time() - started
    assert 200 <= counts[200] <= 200 + 200 * seconds + 1
    assert counts[200] + counts[429] == 1000
    assert len(control.deliveries()) == counts[200]


def test_limits_can_be_switched_off(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--no-rate-limits", "--followers", 3)
    assert statuses(sandbox, "GET", FOLLOWERS, 70, params={"date": "20260101"}) == {200: 70}
