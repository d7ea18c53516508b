"""The control API: users, clock, reset, summary and deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient

ONE_TEXT = [{"type": "text", "text": "hello"}]


def test_health(sandbox: SandboxClient) -> None:
    assert sandbox.get("health") == {"status": "ok"}


def test_users_are_listed_in_pages_by_state(sandbox: SandboxClient) -> None:
    followers = sandbox.followers(2000)
    assert len(followers) == len(set(followers)) == 1000
    pages = [sandbox.get("users", offset=offset, limit=400)["line_ids"] for offset in (0, 400, 800, 1200)]
    assert [line_id for page in pages for line_id in page] == followers
    blocked = sandbox.get("users", state="blocked", limit=100)["line_ids"]
    assert len(blocked) == 50
    assert not set(blocked) & set(followers)
    sandbox.set_user(followers[3], "blocked")
    sandbox.set_user(blocked[5], "following")
    sandbox.set_user("U" + "cd" * 16, "left")
    assert sandbox.followers(2000) == [*followers[:3], *followers[4:], blocked[5]]
    assert len(sandbox.get("users", state="blocked", limit=100)["line_ids"]) == 50
    assert sandbox.get("users", state="left")["line_ids"] == ["U" + "cd" * 16]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users?state=asleep", None),
        ("GET", "users?offset=-1", None),
        ("GET", "users?limit=x", None),
        ("GET", "deliveries?offset=-1", None),
        ("POST", "users/U123", {"state": "left"}),
        ("POST", "users/U" + "0" * 32, {"state": "asleep"}),
        ("POST", "users/U" + "0" * 32, {}),
        ("POST", "clock", {"advance_seconds": -1}),
        ("POST", "clock", {"advance_seconds": "1"}),
        ("POST", "webhooks", {}),
        ("POST", "webhooks", {"url": "ftp://x"}),
        ("POST", "webhooks", {"url": "http://127.0.0.1:9", "events": [], "generate": {"count": 1}}),
        ("POST", "webhooks", {"url": "http://127.0.0.1:9", "generate": {"count": 1, "types": []}}),
        ("POST", "assertion_keys", {"kty": "oct"}),
    ],
)
def test_invalid_requests_get_status_400_and_a_message(
    sandbox: SandboxClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    response = requests.request(method, f"{sandbox.url}/sandbox/{path}", json=body, timeout=10)
    assert response.status_code == 400
    assert response.json()["message"]


def test_unknown_paths_get_status_404(sandbox: SandboxClient) -> None:
    assert requests.get(sandbox.url + "/sandbox/none", timeout=10).status_code == 404
    assert sandbox.request("GET", "/v2/bot/none").json() == {"message": "Not found"}
    assert sandbox.request("DELETE", "/v2/bot/info").status_code == 404


def test_the_summary_counts_requests_by_endpoint_and_status(sandbox: SandboxClient) -> None:
    user, other = sandbox.followers(2)
    key = "123e4567-e89b-12d3-a456-426614174000"
    for _ in range(3):
        sandbox.push(user, key=key)
    sandbox.push("U" + "0" * 32)
    sandbox.request("GET", f"/v2/bot/profile/{user}")
    sandbox.request("GET", f"/v2/bot/profile/{other}")
    sandbox.request("POST", "/v2/bot/message/multicast", json={"to": [user, other], "messages": ONE_TEXT})
    assert sandbox.get("summary") == {
        "requests": {
            "GET /v2/bot/profile/{userId}": {"200": 2},
            "POST /v2/bot/message/multicast": {"200": 1},
            "POST /v2/bot/message/push": {"200": 1, "400": 1, "409": 2},
        },
        "deliveries": 3,
        "recipients": 2,
        "quota_used": 3,
    }


def test_deliveries_are_listed_in_pages_in_order(sandbox: SandboxClient) -> None:
    users = sandbox.followers(300)
    sandbox.push(users[0], "first")
    sandbox.request("POST", "/v2/bot/message/multicast", json={"to": users, "messages": ONE_TEXT})
    sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT})
    sandbox.push(users[1], "last")
    deliveries = sandbox.deliveries()
    assert [delivery["line_id"] for delivery in deliveries[:301]] == [users[0], *users]
    assert len(deliveries) == 1302
    assert deliveries[-1]["messages"] == [{"type": "text", "text": "last"}]
    pages = [sandbox.get("deliveries", offset=offset, limit=7)["deliveries"] for offset in range(0, 1302, 7)]
    assert [delivery for page in pages for delivery in page] == deliveries
    assert sandbox.get("deliveries", offset=5000)["deliveries"] == []
    times = [datetime.fromisoformat(delivery["at"]) for delivery in deliveries]
    assert times == sorted(times)


def test_deliveries_of_a_broadcast_do_not_change_when_users_change(sandbox: SandboxClient) -> None:
    sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT})
    before = [delivery["line_id"] for delivery in sandbox.deliveries()]
    sandbox.set_user(before[0], "left")
    sandbox.set_user("U" + "ef" * 16, "following")
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == before


def test_a_reset_restores_the_initial_state(sandbox: SandboxClient) -> None:
    before = sandbox.followers(5)
    sandbox.push(before[0])
    sandbox.set_user(before[1], "left")
    sandbox.advance(10**6)
    sandbox.request("PUT", "/v2/bot/channel/webhook/endpoint", json={"endpoint": "https://shop.example/"})
    sandbox.post("reset")
    assert sandbox.followers(5) == before
    assert sandbox.deliveries() == []
    assert sandbox.get("summary") == {"requests": {}, "deliveries": 0, "recipients": 0, "quota_used": 0}
    assert sandbox.request("GET", "/v2/bot/channel/webhook/endpoint").status_code == 404
    assert sandbox.push(before[1]).status_code == 200
    assert len(sandbox.deliveries()) == 1


def test_the_clock_can_be_advanced(sandbox: SandboxClient) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(sandbox.post("clock", advance_seconds=0)["now"])

    before = now()
    sandbox.advance(3600)
    assert 3600 <= (now() - before).total_seconds() < 3660


def test_the_seed_determines_the_users(start_sandbox: Callable[..., SandboxClient]) -> None:
    first, same, other = (start_sandbox("--seed", seed, "--followers", 30) for seed in (1, 1, 2))
    assert first.followers(30) == same.followers(30)
    assert not set(first.followers(30)) & set(other.followers(30))
    user = first.followers(1)[0]
    profiles = [sandbox.request("GET", f"/v2/bot/profile/{user}").json() for sandbox in (first, same)]
    assert profiles[0] == profiles[1]
    assert other.request("GET", f"/v2/bot/profile/{user}").status_code == 404


def test_with_more_followers_the_first_followers_are_the_same(start_sandbox: Callable[..., SandboxClient]) -> None:
    few, many = start_sandbox("--followers", 10), start_sandbox("--followers", 20)
    assert many.followers(10) == few.followers(10)


def test_ten_million_followers_work_immediately(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 10_000_000)
    last = sandbox.get("users", offset=9_999_999, limit=10)["line_ids"]
    assert len(last) == 1
    assert sandbox.request("GET", f"/v2/bot/profile/{last[0]}").json()["userId"] == last[0]
    assert sandbox.push(last[0]).status_code == 200
    sent = sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT})
    assert sent.status_code == 200
    summary = sandbox.get("summary")
    assert (summary["deliveries"], summary["recipients"]) == (10_000_001, 10_000_000)
    tail = sandbox.get("deliveries", offset=10_000_000, limit=5)["deliveries"]
    assert [delivery["line_id"] for delivery in tail] == last
