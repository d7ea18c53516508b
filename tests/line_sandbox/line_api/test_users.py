"""LINE's official SDK reads the bot info, followers and profiles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from linebot.v3.module.exceptions import ApiException as ModuleException

from tests.support.sandbox_clients import Sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient


async def test_the_bot_info_describes_the_account(sdk: Sdk) -> None:
    info = await sdk.messaging.get_bot_info()
    assert re.fullmatch(r"U[0-9a-f]{32}", info.user_id)
    assert info.display_name == "Sandbox Shop"
    assert info.chat_mode == "bot"
    assert info.mark_as_read_mode == "auto"


async def test_the_pages_of_followers_contain_each_follower_once(sdk: Sdk, sandbox: SandboxClient) -> None:
    sizes = []
    line_ids: list[str] = []
    start = None
    while True:
        page = await sdk.messaging.get_followers(start=start, limit=100)
        sizes.append(len(page.user_ids))
        line_ids += page.user_ids
        start = page.next
        if start is None:
            break
    assert len(line_ids) == len(set(line_ids)) == 1000
    assert set(line_ids) == set(sandbox.followers(1000))
    assert sizes[0] == 100
    assert 0 in sizes, "a page can be empty although a next page exists"
    assert any(0 < size < 100 for size in sizes[:-1]), (
        "a page can be shorter than the limit although a next page exists"
    )


async def test_a_list_within_the_limit_has_one_page(sdk: Sdk) -> None:
    page = await sdk.messaging.get_followers(limit=1000)
    assert len(page.user_ids) == 1000
    assert page.next is None
    assert len((await sdk.messaging.get_followers()).user_ids) == 300


async def test_a_user_who_blocks_the_account_is_not_listed(sdk: Sdk, sandbox: SandboxClient) -> None:
    blocked = sandbox.followers(3)[1]
    sandbox.set_user(blocked, "blocked")
    page = await sdk.messaging.get_followers(limit=1000)
    assert blocked not in page.user_ids
    assert len(page.user_ids) == 999


async def test_a_new_follower_is_listed(sdk: Sdk, sandbox: SandboxClient) -> None:
    new_follower = "U" + "ab" * 16
    sandbox.set_user(new_follower, "following")
    pages: list[list[str]] = []
    start = None
    while not pages or start:
        page = await sdk.messaging.get_followers(limit=1000, start=start)
        pages.append(page.user_ids)
        start = page.next
    assert [new_follower in page for page in pages].count(True) == 1
    assert (await sdk.messaging.get_profile(new_follower)).user_id == new_follower


@pytest.mark.parametrize("limit", [0, 1001])
def test_the_limit_of_a_page_is_1_to_1000(sandbox: SandboxClient, limit: int) -> None:
    response = sandbox.request("GET", "/v2/bot/followers/ids", params={"limit": limit})
    assert (response.status_code, response.json()["message"]) == (400, "The value for the 'limit' parameter is invalid")


def test_a_page_token_expires_after_24_hours(sandbox: SandboxClient) -> None:
    token = sandbox.request("GET", "/v2/bot/followers/ids").json()["next"]
    sandbox.advance(24 * 3600 - 60)
    assert sandbox.request("GET", "/v2/bot/followers/ids", params={"start": token}).status_code == 200
    sandbox.advance(60)
    response = sandbox.request("GET", "/v2/bot/followers/ids", params={"start": token})
    assert (response.status_code, response.json()) == (400, {"message": "Invalid start param"})


def test_a_page_token_of_another_listing_or_a_modified_one_is_rejected(sandbox: SandboxClient) -> None:
    for number in range(2):
        sandbox.push(sandbox.followers(1)[0], customAggregationUnits=[f"unit_{number}"])
    token = sandbox.request("GET", "/v2/bot/message/aggregation/list", params={"limit": 1}).json()["next"]
    for start in (token, token[:-4] + "AAAA", "nonsense", "", "日本"):
        assert sandbox.request("GET", "/v2/bot/followers/ids", params={"start": start}).status_code == 400


async def test_repeated_requests_return_the_same_profile(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    profile = await sdk.messaging.get_profile(line_id)
    assert profile.user_id == line_id
    assert profile.display_name
    assert profile == await sdk.messaging.get_profile(line_id)


async def test_profiles_differ_and_some_omit_optional_fields(sdk: Sdk, sandbox: SandboxClient) -> None:
    profiles = [await sdk.messaging.get_profile(line_id) for line_id in sandbox.followers(60)]
    assert len({profile.display_name for profile in profiles}) > 20
    assert {profile.language is None for profile in profiles} == {True, False}
    assert {profile.status_message is None for profile in profiles} == {True, False}


@pytest.mark.parametrize("state", ["blocked", "left", "stranger"])
def test_only_followers_have_a_profile(sandbox: SandboxClient, state: str) -> None:
    line_id = sandbox.followers(1)[0]
    sandbox.set_user(line_id, state)
    response = sandbox.request("GET", f"/v2/bot/profile/{line_id}")
    assert (response.status_code, response.json()) == (404, {"message": "Not found"})


def test_a_malformed_id_is_a_bad_request_and_an_unknown_one_is_not_found(sandbox: SandboxClient) -> None:
    malformed = sandbox.request("GET", "/v2/bot/profile/U123")
    assert (malformed.status_code, malformed.json()["message"]) == (
        400,
        "The value for the 'userId' parameter is invalid",
    )
    assert sandbox.request("GET", f"/v2/bot/profile/U{'0' * 32}").status_code == 404


async def test_a_link_token_is_issued_for_known_users_only(sdk: Sdk, sandbox: SandboxClient) -> None:
    assert (await sdk.messaging.issue_link_token(sandbox.followers(1)[0])).link_token
    assert sandbox.request("POST", f"/v2/bot/user/U{'0' * 32}/linkToken").status_code == 404


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_module_channel_lists_the_bots_that_it_is_attached_to(
    start_sandbox: Callable[..., SandboxClient], is_async: bool
) -> None:
    sdk = Sdk(start_sandbox("--module-bots", 150).url, is_async=is_async)
    first = await sdk.module.get_modules()
    rest = await sdk.module.get_modules(start=first.next, limit=100)
    assert (len(first.bots), len(rest.bots), rest.next) == (100, 50, None)
    assert len({bot.user_id for bot in first.bots + rest.bots}) == 150
    await sdk.close()


def test_user_ids_in_a_module_channel_have_68_characters(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--module-bots", 1, "--followers", 200)
    bot = sandbox.request("GET", "/v2/bot/info").json()["userId"]
    line_ids = sandbox.request("GET", "/v2/bot/followers/ids").json()["userIds"]
    assert re.fullmatch(rf"LU[0-9a-f]{{32}}-{bot}", line_ids[0])
    assert sandbox.request("GET", f"/v2/bot/profile/{line_ids[0]}").json()["userId"] == line_ids[0]
    assert sandbox.request("GET", f"/v2/bot/profile/{line_ids[0][1:34]}").status_code == 404, "another channel's ID"
    assert sandbox.push(line_ids[0]).status_code == 200
    assert sandbox.push(line_ids[0][1:34]).status_code == 400
    body = {"to": line_ids[1:3], "messages": [{"type": "text", "text": "hello"}]}
    assert sandbox.request("POST", "/v2/bot/message/multicast", json=body).status_code == 200
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == line_ids[:3]
    group = sandbox.get("chats")["group_ids"][0]
    members = sandbox.request("GET", f"/v2/bot/group/{group}/members/ids").json()["memberIds"]
    assert {len(line_id) for line_id in members} == {68}


async def test_a_channel_that_is_no_module_channel_cannot_list_bots(sdk: Sdk) -> None:
    with pytest.raises(ModuleException) as error:
        await sdk.module.get_modules()
    assert error.value.status == 403


def test_an_unverified_account_cannot_list_followers(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--unverified", "--followers", 20)
    response = sandbox.request("GET", "/v2/bot/followers/ids")
    assert (response.status_code, response.json()) == (
        403,
        {"message": "Access to this API is not available for your account"},
    )
    assert sandbox.request("GET", f"/v2/bot/profile/{sandbox.followers(1)[0]}").status_code == 200
