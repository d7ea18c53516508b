"""LINE notification messages: messages to phone numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import PnpMessagesRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

from tests.support.sandbox_clients import Sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient

FLEXIBLE = "/bot/pnp/push"
TEMPLATED = "/v2/bot/message/pnp/templated/push"
ONE_TEXT = [{"type": "text", "text": "hello"}]
ITEM = {"itemKey": "date_002_ja", "content": "today"}
TEMPLATE = {"templateKey": "shipment_completed_ja", "body": {"emphasizedItem": ITEM}}
NO_USER = "0" * 64


def phone(user: int) -> str:
    """Return the digest of the phone number of a user, by the position in the list of users."""
    return sha256(f"+8190{user:08d}".encode()).hexdigest()


@pytest.fixture
def contract(start_sandbox: Callable[..., SandboxClient]) -> SandboxClient:
    """A client of a sandbox whose account has a contract for notification messages."""
    return start_sandbox("--notification-messages", "--followers", 20, "--quota", 0)


@pytest.mark.parametrize("is_async", [False, True])
async def test_messages_to_phone_numbers_are_delivered_and_counted(contract: SandboxClient, is_async: bool) -> None:
    sdk = Sdk(contract.url, is_async=is_async)
    first, blocked, stranger = contract.followers(3)
    contract.set_user(blocked, "blocked")
    contract.set_user(stranger, "stranger")
    for user in range(3):
        request = PnpMessagesRequest(to=phone(user), messages=[TextMessage(text="Your parcel is on its way")])
        await sdk.messaging.push_messages_by_phone(request, x_line_delivery_tag="x" * 16)
    template = contract.request("POST", TEMPLATED, json={"to": phone(0), **TEMPLATE})
    assert (template.status_code, template.json()) == (202, {})
    assert [entry["line_id"] for entry in contract.deliveries()] == [first, stranger, first]
    assert contract.get("summary")["quota_used"] == 0
    now = datetime.fromisoformat(contract.post("clock", advance_seconds=0)["now"]).astimezone(UTC)
    today = f"{now + timedelta(hours=9):%Y%m%d}"
    assert (await sdk.messaging.get_pnp_message_statistics(today)).status == "unready"
    contract.advance(24 * 3600)
    assert (await sdk.messaging.get_pnp_message_statistics(today)).success == 2
    counted = contract.request("GET", "/v2/bot/message/delivery/pnp/templated", params={"date": today})
    assert counted.json() == {"status": "ready", "success": 1}
    sent = contract.request("GET", "/v2/bot/insight/message/delivery", params={"date": today}).json()
    assert sent["pnpNoticeMessage"] == 3
    with pytest.raises(ApiException) as error:
        await sdk.messaging.push_messages_by_phone(PnpMessagesRequest(to=NO_USER, messages=[TextMessage(text="x")]))
    assert (error.value.status, error.value.body) == (422, '{"message":"Failed to send messages"}')
    await sdk.close()


def test_an_invalid_notification_message_is_rejected(contract: SandboxClient) -> None:
    image = {"type": "image", "originalContentUrl": "https://x.example/a", "previewImageUrl": "https://x.example/b"}
    cases: list[tuple[str, dict[str, Any], dict[str, str], str]] = [
        (FLEXIBLE, {"to": "x", "messages": ONE_TEXT}, {}, "The value must be a valid SHA-256 digest."),
        (FLEXIBLE, {"to": phone(0), "messages": [image]}, {}, "Must not be image, video or audio"),
        (FLEXIBLE, {"to": phone(0), "messages": ONE_TEXT * 6}, {}, "Size must be between 1 and 5"),
        (TEMPLATED, {"to": "x", **TEMPLATE}, {}, "The value must be a valid SHA-256 digest."),
        (
            TEMPLATED,
            {"to": phone(0), **TEMPLATE, "templateKey": "reserve_004"},
            {},
            "The specified template doesn't exist, or you don't have the permission",
        ),
        (
            TEMPLATED,
            {"to": phone(0), **TEMPLATE, "body": {"emphasizedItem": ITEM, "items": [ITEM]}},
            {},
            "Duplicate itemKey in items or between emphasizedItem and items are not allowed: date_002_ja",
        ),
    ]
    for path, body, headers, text in cases:
        response = contract.request("POST", path, json=body, headers=headers)
        assert response.status_code == 400, text
        assert response.json()["details"][0]["message"] == text
    for header, value in (
        ("x-line-delivery-tag", "short"),
        ("x-line-retry-key", "123e4567-e89b-12d3-a456-426614174000"),
    ):
        body = {"to": phone(0), "messages": ONE_TEXT}
        assert contract.request("POST", FLEXIBLE, json=body, headers={header: value}).status_code == 400
    for path in ("pnp", "pnp/templated"):
        response = contract.request("GET", f"/v2/bot/message/delivery/{path}", params={"date": "x"})
        assert (response.status_code, response.json()["message"]) == (
            400,
            "The value for the 'date' parameter is invalid",
        )
    assert contract.deliveries() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", FLEXIBLE),
        ("POST", TEMPLATED),
        ("GET", "/v2/bot/message/delivery/pnp"),
        ("GET", "/v2/bot/message/delivery/pnp/templated"),
    ],
)
def test_notification_messages_need_a_contract(sandbox: SandboxClient, method: str, path: str) -> None:
    response = sandbox.request(method, path, json={})
    assert (response.status_code, response.json()["message"]) == (
        403,
        "Access to this API is not available for your account",
    )
