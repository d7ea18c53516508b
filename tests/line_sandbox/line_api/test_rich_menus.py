"""LINE's official SDK manages rich menus, their aliases and links."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import (
    CreateRichMenuAliasRequest,
    PostbackAction,
    RichMenuArea,
    RichMenuBatchLinkOperation,
    RichMenuBatchRequest,
    RichMenuBatchUnlinkAllOperation,
    RichMenuBounds,
    RichMenuBulkLinkRequest,
    RichMenuBulkUnlinkRequest,
    RichMenuRequest,
    RichMenuSize,
    UpdateRichMenuAliasRequest,
)
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient, Sdk

AREA = RichMenuArea(
    bounds=RichMenuBounds(x=0, y=0, width=2500, height=1686), action=PostbackAction(label="Go", data="go")
)
MENU = RichMenuRequest(
    size=RichMenuSize(width=2500, height=1686), selected=False, name="Menu", chatBarText="Tap", areas=[AREA]
)


def png(width: int, height: int) -> bytes:
    """Return the start of a PNG image, which is what the sandbox reads."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + b"data"


def jpeg(width: int, height: int) -> bytes:
    """Return the start of a JPEG image: an application segment, a fill byte, and a progressive frame."""
    frame = struct.pack(">BBBHBHHB", 0xFF, 0xFF, 0xC2, 17, 8, height, width, 3)
    return b"\xff\xd8" + struct.pack(">BBH", 0xFF, 0xE0, 16) + b"JFIF\0" + bytes(9) + frame + bytes(9)


PNG = png(2500, 843)


async def menu_with_image(sdk: Sdk) -> str:
    menu_id: str = (await sdk.messaging.create_rich_menu(MENU)).rich_menu_id
    headers = {"Content-Type": "image/png"}
    await sdk.messaging_blob.set_rich_menu_image(menu_id, PNG, _headers=headers)
    return menu_id


async def status_of(call: Any) -> int:
    with pytest.raises(ApiException) as error:
        await call
    status: int = error.value.status
    return status


async def test_a_menu_is_created_set_as_default_and_deleted(sdk: Sdk) -> None:
    await sdk.messaging.validate_rich_menu_object(MENU)
    menu_id = (await sdk.messaging.create_rich_menu(MENU)).rich_menu_id
    assert await status_of(sdk.messaging_blob.get_rich_menu_image(menu_id)) == 404
    assert await status_of(sdk.messaging.set_default_rich_menu(menu_id)) == 400, "the menu has no image"
    await sdk.messaging_blob.set_rich_menu_image(menu_id, PNG, _headers={"Content-Type": "image/png"})
    assert bytes(await sdk.messaging_blob.get_rich_menu_image(menu_id)) == PNG
    assert (await sdk.messaging.get_rich_menu(menu_id)).chat_bar_text == "Tap"
    assert menu_id in {menu.rich_menu_id for menu in (await sdk.messaging.get_rich_menu_list()).richmenus}
    await sdk.messaging.set_default_rich_menu(menu_id)
    assert (await sdk.messaging.get_default_rich_menu_id()).rich_menu_id == menu_id
    await sdk.messaging.delete_rich_menu(menu_id)
    assert await status_of(sdk.messaging.get_rich_menu(menu_id)) == 404
    assert await status_of(sdk.messaging.get_default_rich_menu_id()) == 404


async def test_the_default_menu_can_be_cleared(sdk: Sdk) -> None:
    assert (await sdk.messaging.get_default_rich_menu_id()).rich_menu_id
    await sdk.messaging.cancel_default_rich_menu()
    assert await status_of(sdk.messaging.get_default_rich_menu_id()) == 404


@pytest.mark.parametrize(
    ("content_type", "image", "status"),
    [
        ("image/gif", PNG, 415),
        ("image/png", b"not an image", 400),
        ("image/png", b"", 400),
        ("image/png", PNG[:20], 400),
        ("image/png", PNG + b"x" * 1024 * 1024, 400),
        ("image/png", png(799, 270), 400),
        ("image/png", png(2501, 1686), 400),
        ("image/png", png(800, 249), 400),
        ("image/png", png(1200, 828), 400),
        ("image/png", jpeg(1200, 810), 400),
        ("image/jpeg", png(1200, 810), 400),
        ("image/jpeg", jpeg(810, 1200), 400),
        ("image/jpeg", jpeg(1200, 810)[:20], 400),
    ],
)
def test_an_invalid_image_is_rejected(sandbox: SandboxClient, content_type: str, image: bytes, status: int) -> None:
    menu_id = sandbox.request("POST", "/v2/bot/richmenu", json=MENU.to_dict()).json()["richMenuId"]
    path, headers = f"/v2/bot/richmenu/{menu_id}/content", {"content-type": content_type}
    assert sandbox.request("POST", path, data=image, headers=headers).status_code == status
    assert sandbox.request("POST", path, data=PNG, headers={"content-type": "image/png"}).status_code == 200
    again = sandbox.request("POST", path, data=PNG, headers={"content-type": "image/png"})
    assert again.json() == {"message": "An image has already been uploaded to the richmenu"}


@pytest.mark.parametrize(
    ("content_type", "image"),
    [("image/png", png(800, 250)), ("image/png", png(2500, 1724)), ("image/jpeg", jpeg(1200, 810))],
)
def test_an_image_of_an_allowed_size_is_accepted(sandbox: SandboxClient, content_type: str, image: bytes) -> None:
    menu_id = sandbox.request("POST", "/v2/bot/richmenu", json=MENU.to_dict()).json()["richMenuId"]
    path = f"/v2/bot/richmenu/{menu_id}/content"
    assert sandbox.request("POST", path, data=image, headers={"content-type": content_type}).status_code == 200


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({"name": None}, "name", "must be specified"),
        ({"chatBarText": "x" * 15}, "chatBarText", "Length must be between 0 and 14"),
        ({"size": {"width": 799, "height": 300}}, "size.width", "Must be between 800 and 2500"),
        ({"size": {"width": 1000, "height": 1000}}, "size", "aspect ratio must be at least 1.45"),
        (
            {"areas": [{"bounds": AREA.bounds.to_dict(), "action": {"type": "uri", "uri": "ftp://x/"}}]},
            "areas[0].action.uri",
            "invalid uri",
        ),
        ({"areas": [AREA.to_dict()] * 21}, "areas", "Size must be between 0 and 20"),
    ],
)
def test_an_invalid_menu_is_rejected_with_the_property(
    sandbox: SandboxClient, change: dict[str, Any], name: str, message: str
) -> None:
    menu = {key: value for key, value in (MENU.to_dict() | change).items() if value is not None}
    for path in ("/v2/bot/richmenu", "/v2/bot/richmenu/validate"):
        response = sandbox.request("POST", path, json=menu)
        assert response.status_code == 400
        assert response.json()["details"] == [{"message": message, "property": name}]


async def test_menus_are_linked_to_users(sdk: Sdk, sandbox: SandboxClient) -> None:
    menu_id = await menu_with_image(sdk)
    first, second, third = sandbox.followers(20)[11:14]
    assert await status_of(sdk.messaging.get_rich_menu_id_of_user(first)) == 404
    await sdk.messaging.link_rich_menu_id_to_user(first, menu_id)
    await sdk.messaging.link_rich_menu_id_to_users(RichMenuBulkLinkRequest(richMenuId=menu_id, userIds=[second, third]))
    for line_id in (first, second, third):
        assert (await sdk.messaging.get_rich_menu_id_of_user(line_id)).rich_menu_id == menu_id
    await sdk.messaging.unlink_rich_menu_id_from_user(first)
    await sdk.messaging.unlink_rich_menu_id_from_users(RichMenuBulkUnlinkRequest(userIds=[second]))
    assert await status_of(sdk.messaging.get_rich_menu_id_of_user(first)) == 404
    assert await status_of(sdk.messaging.get_rich_menu_id_of_user(second)) == 404
    assert (await sdk.messaging.get_rich_menu_id_of_user(third)).rich_menu_id == menu_id


async def test_every_tenth_user_has_a_linked_menu_at_the_start(sdk: Sdk, sandbox: SandboxClient) -> None:
    linked = (await sdk.messaging.get_rich_menu_alias("regulars")).rich_menu_id
    menus = []
    for line_id in sandbox.followers(20):
        response = sandbox.request("GET", f"/v2/bot/user/{line_id}/richmenu")
        menus.append(response.json().get("richMenuId"))
    assert [index for index, menu in enumerate(menus) if menu == linked] == [0, 10]
    assert menus.count(None) == 18


async def test_menus_are_replaced_in_batches(sdk: Sdk, sandbox: SandboxClient) -> None:
    one, two = await menu_with_image(sdk), await menu_with_image(sdk)
    first, second = sandbox.followers(20)[11:13]
    await sdk.messaging.link_rich_menu_id_to_user(first, one)
    await sdk.messaging.link_rich_menu_id_to_user(second, two)
    batch = RichMenuBatchRequest(
        operations=[
            RichMenuBatchLinkOperation(**{"from": one, "to": two}),
            RichMenuBatchLinkOperation(**{"from": two, "to": one}),
        ]
    )
    await sdk.messaging.validate_rich_menu_batch_request(batch)
    request_id = (await sdk.messaging.rich_menu_batch_with_http_info(batch)).headers["x-line-request-id"]
    assert (await sdk.messaging.get_rich_menu_batch_progress(request_id)).phase == "ongoing"
    sandbox.advance(10)
    done = await sdk.messaging.get_rich_menu_batch_progress(request_id)
    assert (done.phase, done.completed_time > done.accepted_time) == ("succeeded", True)
    assert (await sdk.messaging.get_rich_menu_id_of_user(first)).rich_menu_id == two
    assert (await sdk.messaging.get_rich_menu_id_of_user(second)).rich_menu_id == one
    await sdk.messaging.rich_menu_batch(RichMenuBatchRequest(operations=[RichMenuBatchUnlinkAllOperation()]))
    assert await status_of(sdk.messaging.get_rich_menu_id_of_user(first)) == 404


def test_an_invalid_batch_is_rejected(sandbox: SandboxClient) -> None:
    menu = sandbox.request("GET", "/v2/bot/richmenu/list").json()["richmenus"][0]["richMenuId"]
    without_image = sandbox.request("POST", "/v2/bot/richmenu", json=MENU.to_dict()).json()["richMenuId"]
    unknown = "richmenu-" + "0" * 32
    unlink = {"type": "unlink", "from": menu}
    for operations, status, name in (
        ([unlink, unlink], 400, "operations[].from"),
        ([unlink, {"type": "unlinkAll"}], 400, "operations[].type"),
        ([{"type": "link", "from": menu, "to": without_image}], 400, "operations[0].to"),
        ([{"type": "link", "from": menu, "to": unknown}], 404, "operations[0].to"),
        ([{"type": "link", "from": "x", "to": menu}], 400, "operations[0].from"),
    ):
        response = sandbox.request("POST", "/v2/bot/richmenu/validate/batch", json={"operations": operations})
        assert (response.status_code, response.json()["details"][0]["property"]) == (status, name)


async def test_aliases_refer_to_menus(sdk: Sdk, sandbox: SandboxClient) -> None:
    one, two = await menu_with_image(sdk), await menu_with_image(sdk)
    await sdk.messaging.create_rich_menu_alias(CreateRichMenuAliasRequest(richMenuAliasId="spring", richMenuId=one))
    assert (await sdk.messaging.get_rich_menu_alias("spring")).rich_menu_id == one
    await sdk.messaging.update_rich_menu_alias("spring", UpdateRichMenuAliasRequest(richMenuId=two))
    aliases = (await sdk.messaging.get_rich_menu_alias_list()).aliases
    assert {alias.rich_menu_alias_id for alias in aliases} == {"everybody", "regulars", "spring"}
    again = sandbox.request("POST", "/v2/bot/richmenu/alias", json={"richMenuAliasId": "spring", "richMenuId": one})
    assert (again.status_code, again.json()) == (400, {"message": "conflict richmenu alias id", "details": []})
    await sdk.messaging.delete_rich_menu_alias("spring")
    assert await status_of(sdk.messaging.get_rich_menu_alias("spring")) == 404
