"""LINE's official SDK creates, lists and closes coupons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import (
    CouponCreateRequest,
    CouponDiscountRewardRequest,
    DiscountFixedPriceInfoRequest,
    NormalAcquisitionConditionRequest,
)
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from tests.support.sandbox_clients import SandboxClient, Sdk


async def test_coupons_are_created_listed_and_closed(sdk: Sdk, sandbox: SandboxClient) -> None:
    request = CouponCreateRequest(
        title="10 off",
        acquisitionCondition=NormalAcquisitionConditionRequest(),
        reward=CouponDiscountRewardRequest(priceInfo=DiscountFixedPriceInfoRequest(fixedAmount=10)),
        startTimestamp=0,
        endTimestamp=4_000_000_000,
        maxUseCountPerTicket=1,
        timezone="ASIA_TOKYO",
        visibility="UNLISTED",
    )
    coupon_id = (await sdk.messaging.create_coupon(request)).coupon_id
    detail = await sdk.messaging.get_coupon_detail(coupon_id)
    assert (detail.title, detail.status, detail.max_ticket_per_user) == ("10 off", "RUNNING", 1)
    assert (detail.reward.price_info.fixed_amount, detail.reward.price_info.currency) == (10, "JPY")
    running = await sdk.messaging.list_coupon(status=["RUNNING"])
    assert [item.title for item in running.items] == ["10 off", "Welcome: 100 yen off"]
    first = await sdk.messaging.list_coupon(limit=3)
    rest = await sdk.messaging.list_coupon(limit=3, start=first.next)
    assert (len(first.items), len(rest.items), rest.next) == (3, 1, None)
    await sdk.messaging.close_coupon(coupon_id)
    assert (await sdk.messaging.get_coupon_detail(coupon_id)).status == "CLOSED"
    closed = sandbox.request("PUT", f"/v2/bot/coupon/{coupon_id}/close")
    assert (closed.status_code, closed.json()["details"][0]["message"]) == (410, "The coupon has already been closed.")
    with pytest.raises(ApiException) as error:
        await sdk.messaging.get_coupon_detail("none")
    assert error.value.status == 404


def test_a_coupon_is_closed_after_its_end(sandbox: SandboxClient) -> None:
    items = sandbox.request("GET", "/v2/bot/coupon", params={"status": "RUNNING"}).json()["items"]
    sandbox.advance(366 * 24 * 3600)
    assert sandbox.request("GET", f"/v2/bot/coupon/{items[0]['couponId']}").json()["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({"title": "x" * 61}, "title", "Size must be between 1 and 60"),
        ({"maxUseCountPerTicket": 2}, "maxUseCountPerTicket", "Must be one of the following values: [1,-1]"),
        (
            {"reward": {"type": "discount", "priceInfo": {"type": "percentage", "percentage": 5, "fixedAmount": 1}}},
            "reward.priceInfo.fixedAmount",
            "Must not be specified",
        ),
        ({"timezone": "Asia/Tokyo"}, "timezone", None),
    ],
)
def test_an_invalid_coupon_is_rejected_with_the_property(
    sandbox: SandboxClient, change: dict[str, Any], name: str, message: str | None
) -> None:
    coupon = {
        "title": "x",
        "acquisitionCondition": {"type": "normal"},
        "startTimestamp": 0,
        "endTimestamp": 1,
        "maxUseCountPerTicket": -1,
        "timezone": "ASIA_TOKYO",
        "visibility": "PUBLIC",
    }
    assert sandbox.request("POST", "/v2/bot/coupon", json=coupon).status_code == 200
    response = sandbox.request("POST", "/v2/bot/coupon", json=coupon | change)
    assert response.status_code == 400
    (detail,) = response.json()["details"]
    assert detail["property"] == name
    assert message is None or detail["message"] == message
