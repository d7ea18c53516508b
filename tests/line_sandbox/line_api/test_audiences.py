"""LINE's official SDK creates, fills, lists and deletes audiences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.audience import (
    AddAudienceToAudienceGroupRequest,
    Audience,
    CreateAudienceGroupRequest,
    CreateClickBasedAudienceGroupRequest,
    CreateImpBasedAudienceGroupRequest,
    UpdateAudienceGroupDescriptionRequest,
)
from linebot.v3.audience.exceptions import ApiException

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox_clients import SandboxClient, Sdk


def audience_members(sandbox: SandboxClient, count: int) -> list[Audience]:
    return [Audience(id=line_id) for line_id in sandbox.followers(count)]


async def test_an_audience_becomes_ready_after_some_seconds(sdk: Sdk, sandbox: SandboxClient) -> None:
    request = CreateAudienceGroupRequest(
        description="mine", audiences=audience_members(sandbox, 3), uploadDescription="first"
    )
    created = await sdk.audience.create_audience_group(request)
    assert (created.type, created.permission, created.create_route) == ("UPLOAD", "READ_WRITE", "MESSAGING_API")
    statuses = []
    for _ in range(3):
        data = await sdk.audience.get_audience_data(created.audience_group_id)
        statuses.append((data.audience_group.status, data.jobs[0].job_status))
        sandbox.advance(3)
    assert statuses == [("IN_PROGRESS", "QUEUED"), ("IN_PROGRESS", "WORKING"), ("READY", "FINISHED")]
    assert data.audience_group.audience_count == 3
    assert data.jobs[0].description == "first"


async def test_adding_users_counts_each_user_once(sdk: Sdk, sandbox: SandboxClient) -> None:
    created = await sdk.audience.create_audience_group(
        CreateAudienceGroupRequest(description="mine", audiences=audience_members(sandbox, 3))
    )
    more = AddAudienceToAudienceGroupRequest(
        audienceGroupId=created.audience_group_id, audiences=audience_members(sandbox, 5), uploadDescription="more"
    )
    await sdk.audience.add_audience_to_audience_group(more)
    data = await sdk.audience.get_audience_data(created.audience_group_id)
    assert data.audience_group.audience_count == 5
    assert [job.audience_count for job in data.jobs] == [3, 2]


async def test_users_are_uploaded_from_a_file(sdk: Sdk, sandbox: SandboxClient, tmp_path: Path) -> None:
    file = tmp_path / "users.txt"
    file.write_text("\n".join(sandbox.followers(40)) + "\n")
    created = await sdk.audience_blob.create_audience_for_uploading_user_ids(str(file), description="by file")
    sandbox.advance(10)
    data = await sdk.audience.get_audience_data(created.audience_group_id)
    assert (data.audience_group.description, data.audience_group.audience_count) == ("by file", 40)
    if not sdk.is_async:  # The asynchronous client cannot send the numeric id in a form.
        file.write_text("\n".join(sandbox.followers(45)))
        await sdk.audience_blob.add_user_ids_to_audience(str(file), audience_group_id=created.audience_group_id)
        data = await sdk.audience.get_audience_data(created.audience_group_id)
        assert data.audience_group.audience_count == 45


async def test_audiences_are_renamed_and_deleted(sdk: Sdk, sandbox: SandboxClient) -> None:
    created = await sdk.audience.create_audience_group(CreateAudienceGroupRequest(description="before"))
    number = created.audience_group_id
    rename = UpdateAudienceGroupDescriptionRequest(description="after")
    await sdk.audience.update_audience_group_description(number, rename)
    assert (await sdk.audience.get_audience_data(number)).audience_group.description == "after"
    await sdk.audience.delete_audience_group(number)
    with pytest.raises(ApiException) as error:
        await sdk.audience.get_audience_data(number)
    assert error.value.status == 400
    assert "AUDIENCE_GROUP_NOT_FOUND" in error.value.body
    assert sandbox.request("DELETE", f"/v2/bot/audienceGroup/{number}").status_code == 400


async def test_audiences_are_listed_in_pages(sdk: Sdk, sandbox: SandboxClient) -> None:
    for number in range(5):
        await sdk.audience.create_audience_group(CreateAudienceGroupRequest(description=f"Mine {number}"))
    pages = [await sdk.audience.get_audience_groups(page=page, size=5) for page in (1, 2, 3)]
    numbers = [group.audience_group_id for page in pages for group in page.audience_groups]
    assert len(numbers) == len(set(numbers)) == pages[0].total_count == 12
    assert [page.has_next_page for page in pages] == [True, True, False]
    assert pages[0].read_write_audience_group_total_count == 5
    found = await sdk.audience.get_audience_groups(page=1, description="mine")
    assert [group.description for group in found.audience_groups] == [f"Mine {number}" for number in (4, 3, 2, 1, 0)]
    own = await sdk.audience.get_audience_groups(page=1, includes_external_public_groups=False)
    assert {group.create_route for group in own.audience_groups} == {"MESSAGING_API"}
    from_manager = await sdk.audience.get_audience_groups(page=1, create_route="OA_MANAGER")
    assert {group.create_route for group in from_manager.audience_groups} == {"OA_MANAGER"}
    ready = await sdk.audience.get_audience_groups(page=1, status="READY")
    assert len(ready.audience_groups) == 7


async def test_shared_audiences_have_their_own_list(sdk: Sdk) -> None:
    shared = await sdk.audience.get_shared_audience_groups(page=1)
    assert {group.create_route for group in shared.audience_groups} == {"AD_MANAGER"}
    everything = await sdk.audience.get_shared_audience_groups(page=1, includes_owned_audience_groups=True)
    assert everything.total_count == 7
    data = await sdk.audience.get_shared_audience_data(shared.audience_groups[0].audience_group_id)
    assert (data.owner.name, data.audience_group.permission) == ("Sandbox Shop", "READ")


async def test_small_restricted_audiences_have_a_count_of_zero(sdk: Sdk) -> None:
    groups = (await sdk.audience.get_audience_groups(page=1)).audience_groups
    counts = {group.type: group.audience_count for group in groups}
    assert counts["WEBTRAFFIC"] == 0, "10 users are fewer than the minimum of 20"
    assert counts["CHAT_TAG"] == 42
    assert counts["FRIEND_PATH"] > 20


async def test_audiences_are_created_from_clicks_and_impressions_of_a_broadcast(
    sdk: Sdk, sandbox: SandboxClient
) -> None:
    link = {"type": "uri", "label": "Shop", "uri": "https://shop.example/"}
    template = {"type": "confirm", "text": "Look?", "actions": [link, link]}
    body = {"messages": [{"type": "template", "altText": "look", "template": template}]}
    request_id = sandbox.request("POST", "/v2/bot/message/broadcast", json=body).headers["x-line-request-id"]
    clicked = await sdk.audience.create_click_based_audience_group(
        CreateClickBasedAudienceGroupRequest(
            description="tapped", requestId=request_id, clickUrl="https://shop.example/"
        )
    )
    opened = await sdk.audience.create_imp_based_audience_group(
        CreateImpBasedAudienceGroupRequest(description="opened", requestId=request_id)
    )
    assert (clicked.type, clicked.click_url, opened.type) == ("CLICK", "https://shop.example/", "IMP")
    sandbox.advance(10)
    counts = [
        (await sdk.audience.get_audience_data(created.audience_group_id)).audience_group.audience_count
        for created in (clicked, opened)
    ]
    assert 100 < counts[0] < counts[1] < 1000


def audience_error(sandbox: SandboxClient, method: str, path: str, **options: Any) -> tuple[int, str]:
    response = sandbox.request(method, f"/v2/bot/audienceGroup/{path}", **options)
    return response.status_code, response.json()["details"][0]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"description": "x" * 121}, "AUDIENCE_GROUP_NAME_SIZE_OVER"),
        ({"description": "  "}, "AUDIENCE_GROUP_NAME_EMPTY"),
        ({"description": "two\nlines"}, "AUDIENCE_GROUP_NAME_WRONG"),
        ({"description": "x", "audiences": [{"id": "U1"}]}, "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"),
        (
            {"description": "x", "audiences": [{"id": "U" + "0" * 32}] * 10_001},
            "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS",
        ),
        (
            {"description": "x", "audiences": [{"id": "U" + "0" * 32}], "uploadDescription": "x" * 301},
            "AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER",
        ),
    ],
)
def test_an_invalid_audience_is_rejected_with_a_code(sandbox: SandboxClient, body: dict[str, Any], code: str) -> None:
    assert audience_error(sandbox, "POST", "upload", json=body) == (400, code)


def test_audiences_from_a_message_need_a_recent_message(sandbox: SandboxClient) -> None:
    unknown = {"description": "x", "requestId": "00000000-0000-0000-0000-000000000000"}
    assert audience_error(sandbox, "POST", "imp", json=unknown) == (400, "REQUEST_NOT_FOUND")
    body = {"messages": [{"type": "text", "text": "hello"}]}
    sent = sandbox.request("POST", "/v2/bot/message/broadcast", json=body).headers["x-line-request-id"]
    known = {"description": "x", "requestId": sent}
    assert sandbox.request("POST", "/v2/bot/audienceGroup/imp", json=known).status_code == 202
    assert audience_error(sandbox, "POST", "imp", json=known) == (400, "AUDIENCE_GROUP_REQUESTID_DUPLICATE")
    sandbox.advance(61 * 24 * 3600)
    assert audience_error(sandbox, "POST", "click", json=known) == (400, "TOO_OLD_MESSAGES")


def test_an_audience_expires_after_180_days(sandbox: SandboxClient) -> None:
    body = {"description": "old", "audiences": [{"id": sandbox.followers(1)[0]}]}
    number = sandbox.request("POST", "/v2/bot/audienceGroup/upload", json=body).json()["audienceGroupId"]
    sandbox.advance(180 * 24 * 3600)
    audience = sandbox.request("GET", f"/v2/bot/audienceGroup/{number}").json()["audienceGroup"]
    assert audience["status"] == "EXPIRED"
    more = {"audienceGroupId": number, "audiences": body["audiences"]}
    assert audience_error(sandbox, "PUT", "upload", json=more) == (400, "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED")


def test_at_most_ten_uploads_to_an_audience_run_at_the_same_time(sandbox: SandboxClient) -> None:
    body: dict[str, Any] = {"description": "busy", "audiences": [{"id": sandbox.followers(1)[0]}]}
    number = sandbox.request("POST", "/v2/bot/audienceGroup/upload", json=body).json()["audienceGroupId"]
    more = {"audienceGroupId": number, "audiences": body["audiences"]}
    statuses = [sandbox.request("PUT", "/v2/bot/audienceGroup/upload", json=more).status_code for _ in range(10)]
    assert statuses == [202] * 9 + [429]
    sandbox.advance(10)
    assert sandbox.request("PUT", "/v2/bot/audienceGroup/upload", json=more).status_code == 202


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("users.txt", b"U1\n", "text/plain"), 400),
        (("users.txt", b"\xff\xfe", "text/plain"), 400),
        (("users.png", b"x", "image/png"), 415),
        (None, 400),
    ],
)
def test_a_file_without_user_ids_is_rejected(
    sandbox: SandboxClient, file: tuple[str, bytes, str] | None, status: int
) -> None:
    fields: dict[str, Any] = {"description": (None, "by file")}
    if file:
        fields["file"] = file
    response = sandbox.request("POST", "/v2/bot/audienceGroup/upload/byFile", files=fields)
    assert response.status_code == status


@pytest.mark.parametrize(("size", "code"), [(41, "TOO_HIGH"), (0, "TOO_LOW")])
def test_the_page_size_of_audiences_is_1_to_40(sandbox: SandboxClient, size: int, code: str) -> None:
    response = sandbox.request("GET", "/v2/bot/audienceGroup/list", params={"page": 1, "size": size})
    assert (response.status_code, response.json()["details"]) == (400, [{"message": code}])
