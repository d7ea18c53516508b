"""LINE's official SDK reads groups, rooms and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient, Sdk


def chat_ids(sandbox: SandboxClient, kind: str) -> list[str]:
    ids: list[str] = sandbox.get("chats")[f"{kind}_ids"]
    return ids


async def test_groups_list_their_members(sdk: Sdk, sandbox: SandboxClient) -> None:
    for group in chat_ids(sandbox, "group"):
        summary = await sdk.messaging.get_group_summary(group)
        assert (summary.group_id, bool(summary.group_name)) == (group, True)
        count = (await sdk.messaging.get_group_member_count(group)).count
        members: list[str] = []
        start = None
        while True:
            page = await sdk.messaging.get_group_members_ids(group, start=start)
            assert len(page.member_ids) <= 100
            members += page.member_ids
            start = page.next
            if start is None:
                break
        assert len(members) == len(set(members)) == count
        profile = await sdk.messaging.get_group_member_profile(group, members[-1])
        assert profile.user_id == members[-1]


async def test_rooms_list_their_members(sdk: Sdk, sandbox: SandboxClient) -> None:
    room = chat_ids(sandbox, "room")[0]
    count = (await sdk.messaging.get_room_member_count(room)).count
    members = (await sdk.messaging.get_room_members_ids(room)).member_ids
    assert len(members) == min(count, 100)
    assert (await sdk.messaging.get_room_member_profile(room, members[0])).user_id == members[0]


async def test_a_chat_that_the_account_left_is_not_found(sdk: Sdk, sandbox: SandboxClient) -> None:
    group, room = chat_ids(sandbox, "group")[0], chat_ids(sandbox, "room")[0]
    await sdk.messaging.leave_group(group)
    await sdk.messaging.leave_room(room)
    assert group not in chat_ids(sandbox, "group")
    assert room not in chat_ids(sandbox, "room")
    with pytest.raises(ApiException) as error:
        await sdk.messaging.get_group_summary(group)
    assert error.value.status == 404
    assert sandbox.push(group).json() == {"message": "Failed to send messages"}


def test_a_room_id_is_not_found_as_a_group_and_vice_versa(sandbox: SandboxClient) -> None:
    group, room = chat_ids(sandbox, "group")[0], chat_ids(sandbox, "room")[0]
    assert sandbox.request("GET", f"/v2/bot/group/{room}/members/count").status_code == 404
    assert sandbox.request("GET", f"/v2/bot/room/{group}/members/count").status_code == 404
    malformed = sandbox.request("GET", "/v2/bot/group/Cxyz/summary")
    assert (malformed.status_code, malformed.json()["message"]) == (
        400,
        "The value for the 'groupId' parameter is invalid",
    )


def test_an_unverified_account_cannot_list_members(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--unverified", "--followers", 20)
    group = chat_ids(sandbox, "group")[0]
    assert sandbox.request("GET", f"/v2/bot/group/{group}/members/ids").status_code == 403
    assert sandbox.request("GET", f"/v2/bot/group/{group}/members/count").status_code == 200
