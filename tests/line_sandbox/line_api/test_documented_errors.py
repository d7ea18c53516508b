"""Error responses that LINE's reference gives as examples: status, message and details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient

UNKNOWN_USER = "U" + "0" * 32
UNKNOWN_GROUP = "C" + "0" * 32
UNKNOWN_MENU = "richmenu-" + "0" * 32
COUPON = {
    "title": "Spring",
    "acquisitionCondition": {"type": "normal"},
    "startTimestamp": 1,
    "endTimestamp": 2,
    "timezone": "ASIA_TOKYO",
    "visibility": "UNLISTED",
    "maxUseCountPerTicket": 1,
}
TOO_MANY = {"type": "discount", "priceInfo": {"type": "percentage", "percentage": 10, "fixedAmount": 5}}


def message(text: str) -> dict[str, Any]:
    return {"message": text}


def without_details(text: str) -> dict[str, Any]:
    return {"message": text, "details": []}


def detail(text: str, name: str) -> dict[str, Any]:
    return {"message": "The request body has 1 error(s)", "details": [{"message": text, "property": name}]}


def code(text: str, error_code: str) -> dict[str, Any]:
    return {"message": text, "details": [{"message": error_code}]}


@pytest.mark.parametrize(
    ("endpoint", "body", "status", "expected"),
    [
        (
            "PUT channel/webhook/endpoint",
            {"endpoint": "http://shop.example"},
            400,
            message("Invalid webhook endpoint URL"),
        ),
        ("GET channel/webhook/endpoint", None, 404, message("Webhook endpoint not found")),
        ("GET message/1/content", None, 404, message("not found")),
        ("GET message/1/content/preview", None, 404, message("not found")),
        ("GET message/1/content/transcoding", None, 404, message("not found")),
        (
            "POST chat/loading/start",
            {"chatId": UNKNOWN_GROUP},
            400,
            detail(
                "Only user id is acceptable, please confirm if there are any group/room ids or illegal ids.", "chatId"
            ),
        ),
        ("GET message/delivery/push?date=1", None, 400, message("The value for the 'date' parameter is invalid")),
        ("GET insight/followers", None, 400, message("date is required")),
        ("GET insight/message/delivery?date=1", None, 400, message("Bad Request")),
        (
            "GET audienceGroup/list?page=1&size=41",
            None,
            400,
            code("size: must be less than or equal to 40", "TOO_HIGH"),
        ),
        ("GET audienceGroup/1", None, 400, code("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")),
        ("DELETE audienceGroup/1", None, 400, code("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")),
        (
            "POST audienceGroup/upload",
            {"description": "x" * 121},
            400,
            code("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER"),
        ),
        ("POST coupon", COUPON | {"title": "x" * 61}, 400, detail("Size must be between 1 and 60", "title")),
        (
            "POST coupon",
            COUPON | {"reward": {"type": "money"}},
            400,
            detail("Must be one of the following values: [discount,free,gift,cashBack,others]", "reward.type"),
        ),
        (
            "POST coupon",
            COUPON | {"reward": TOO_MANY},
            400,
            detail("Must not be specified", "reward.priceInfo.fixedAmount"),
        ),
        ("GET coupon/x", None, 404, detail("coupon not found", "")),
        ("GET coupon?limit=101", None, 400, detail("Must be less than or equal to 100", "limit")),
        (
            "GET coupon?status=OPEN",
            None,
            400,
            detail("Must be one of the following values: [DRAFT,RUNNING,CLOSED]", "status"),
        ),
        (f"GET profile/{UNKNOWN_USER}", None, 404, message("Not found")),
        ("GET followers/ids?start=x", None, 400, message("Invalid start param")),
        ("GET membership/subscription/x", None, 400, message("The value for the 'userId' parameter is invalid")),
        ("GET membership/1/users/ids", None, 404, message("Membership ID is not found")),
        ("GET group/x/summary", None, 400, message("The value for the 'groupId' parameter is invalid")),
        (f"GET group/{UNKNOWN_GROUP}/members/count", None, 404, message("Not found")),
        ("POST room/x/leave", None, 400, message("The value for the 'roomId' parameter is invalid")),
        (
            "POST richmenu/bulk/link",
            {"richMenuId": UNKNOWN_MENU, "userIds": ["x"]},
            400,
            message("The property, 'userIds[0]', in the request body is invalid (line: -, column: -)"),
        ),
        (
            "POST richmenu/bulk/unlink",
            {"userIds": ["x"]},
            400,
            message("The property, 'userIds[0]', in the request body is invalid (line: -, column: -)"),
        ),
        (
            "POST richmenu/bulk/link",
            {"richMenuId": "x", "userIds": [UNKNOWN_USER]},
            400,
            detail("invalid richMenuId", "richMenuId"),
        ),
        (
            "POST richmenu/bulk/link",
            {"richMenuId": UNKNOWN_MENU, "userIds": [UNKNOWN_USER]},
            404,
            without_details("richmenu not found"),
        ),
        (f"GET user/{UNKNOWN_USER}/richmenu", None, 404, without_details("the user has no richmenu")),
        (
            "POST richmenu/alias",
            {"richMenuAliasId": "new", "richMenuId": UNKNOWN_MENU},
            400,
            without_details("richmenu not found"),
        ),
        (
            "POST richmenu/alias",
            {"richMenuAliasId": "everybody", "richMenuId": UNKNOWN_MENU},
            400,
            without_details("conflict richmenu alias id"),
        ),
        ("GET richmenu/alias/unknown", None, 404, without_details("richmenu alias not found")),
        ("DELETE richmenu/alias/unknown", None, 404, without_details("richmenu alias not found")),
        ("GET richmenu/alias/UPPER", None, 400, message("The value for the 'richMenuAliasId' parameter is invalid")),
        (f"GET richmenu/{UNKNOWN_MENU}", None, 404, message("Not found")),
    ],
    ids=str,
)
def test_the_response_is_that_of_the_reference(
    sandbox: SandboxClient, endpoint: str, body: dict[str, Any] | None, status: int, expected: dict[str, Any]
) -> None:
    method, _, path = endpoint.partition(" ")
    response = sandbox.request(method, f"/v2/bot/{path}", json=body)
    assert (response.status_code, response.json()) == (status, expected)


def test_a_menu_without_an_image_cannot_be_the_default(sandbox: SandboxClient) -> None:
    menu = sandbox.request("GET", "/v2/bot/richmenu/list").json()["richmenus"][0]
    del menu["richMenuId"]
    menu_id = sandbox.request("POST", "/v2/bot/richmenu", json=menu).json()["richMenuId"]
    response = sandbox.request("POST", f"/v2/bot/user/all/richmenu/{menu_id}")
    assert (response.status_code, response.json()) == (
        400,
        without_details("must upload richmenu image before applying it to user"),
    )
    sandbox.request("DELETE", "/v2/bot/user/all/richmenu")
    response = sandbox.request("GET", "/v2/bot/user/all/richmenu")
    assert (response.status_code, response.json()) == (404, without_details("no default richmenu"))


@pytest.mark.parametrize(("method", "click"), [("click", {"clickUrl": "https://shop.example/"}), ("imp", {})])
def test_a_message_has_one_audience_of_a_kind(sandbox: SandboxClient, method: str, click: dict[str, str]) -> None:
    body = {"messages": [{"type": "text", "text": "hello"}]}
    request_id = sandbox.request("POST", "/v2/bot/message/broadcast", json=body).headers["x-line-request-id"]
    audience = {"description": "clicked", "requestId": request_id, **click}
    assert sandbox.request("POST", f"/v2/bot/audienceGroup/{method}", json=audience).status_code == 202
    again = sandbox.request("POST", f"/v2/bot/audienceGroup/{method}", json=audience)
    assert again.status_code == 400
    assert again.json()["details"][0]["message"] == "AUDIENCE_GROUP_REQUESTID_DUPLICATE"


@pytest.mark.parametrize("path", ["list", "shared/list"])
def test_the_page_of_a_list_of_audiences_is_required(sandbox: SandboxClient, path: str) -> None:
    assert sandbox.request("GET", f"/v2/bot/audienceGroup/{path}").status_code == 400
