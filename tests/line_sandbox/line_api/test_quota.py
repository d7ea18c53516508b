"""The monthly quota, the counts of sent messages, and custom aggregation units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient, Sdk

MONTHLY_LIMIT = {"message": "You have reached your monthly limit."}
ONE_TEXT = [{"type": "text", "text": "hello"}]


def line_day(sandbox: SandboxClient, days: int = 0) -> str:
    """Return the date `days` after the sandbox's current date, in LINE's time zone."""
    now = datetime.fromisoformat(sandbox.post("clock", advance_seconds=0)["now"]).astimezone(UTC)
    return f"{now + timedelta(hours=9, days=days):%Y%m%d}"


def test_messages_beyond_the_quota_are_rejected_and_not_delivered(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 3, "--followers", 10)
    line_ids = sandbox.followers(5)
    assert [sandbox.push(line_id).status_code for line_id in line_ids] == [200, 200, 200, 429, 429]
    response = sandbox.push(line_ids[0])
    assert response.json() == MONTHLY_LIMIT
    assert len(sandbox.deliveries()) == sandbox.get("summary")["quota_used"] == 3
    quota = sandbox.request("GET", "/v2/bot/message/quota").json()
    used = sandbox.request("GET", "/v2/bot/message/quota/consumption").json()
    assert (quota, used) == ({"type": "limited", "value": 3}, {"totalUsage": 3})


def test_a_request_that_exceeds_the_quota_is_rejected_as_a_whole(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 3, "--followers", 10)
    body = {"to": sandbox.followers(4), "messages": ONE_TEXT}
    assert sandbox.request("POST", "/v2/bot/message/multicast", json=body).json() == MONTHLY_LIMIT
    assert sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT}).json() == MONTHLY_LIMIT
    assert sandbox.deliveries() == []


def test_the_quota_counts_reached_users_not_message_objects(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 5, "--followers", 10)
    first, second = sandbox.followers(2)
    sandbox.set_user(second, "blocked")
    for line_id in (first, second):
        body = {"to": line_id, "messages": ONE_TEXT * 4}
        assert sandbox.request("POST", "/v2/bot/message/push", json=body).status_code == 200
    assert sandbox.get("summary")["quota_used"] == 1


def test_the_quota_resets_in_the_next_month(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 1, "--followers", 10)
    line_id = sandbox.followers(1)[0]
    assert [sandbox.push(line_id).status_code for _ in range(2)] == [200, 429]
    sandbox.advance(32 * 24 * 3600)
    assert sandbox.push(line_id).status_code == 200


def test_a_narrowcast_in_progress_reserves_quota_for_all_followers(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 120, "--followers", 100)
    line_id = sandbox.followers(1)[0]
    recipients = {"description": "few", "audiences": [{"id": line_id} for line_id in sandbox.followers(10)]}
    number = sandbox.request("POST", "/v2/bot/audienceGroup/upload", json=recipients).json()["audienceGroupId"]
    sandbox.advance(10)
    recipient = {"type": "audience", "audienceGroupId": number}
    body = {"messages": ONE_TEXT, "recipient": recipient}
    assert sandbox.request("POST", "/v2/bot/message/narrowcast", json=body).status_code == 202
    # The narrowcast has 10 recipients but reserves 100 of 120 messages, so that 20 remain.
    assert [sandbox.push(line_id).status_code for _ in range(21)] == [200] * 20 + [429]
    assert sandbox.push(line_id).json() == MONTHLY_LIMIT
    sandbox.advance(60)
    assert sandbox.push(line_id).status_code == 200
    assert sandbox.get("summary")["quota_used"] == 31


def narrowcast(sandbox: SandboxClient, limit: dict[str, object]) -> dict[str, Any]:
    """Send a narrowcast and advance the clock past its end; return the progress."""
    response = sandbox.request("POST", "/v2/bot/message/narrowcast", json={"messages": ONE_TEXT, "limit": limit})
    assert response.status_code == 202
    sandbox.advance(60)
    parameters = {"requestId": response.headers["x-line-request-id"]}
    progress = sandbox.request("GET", "/v2/bot/message/progress/narrowcast", params=parameters)
    content: dict[str, Any] = progress.json()
    return content


def test_a_narrowcast_can_be_limited_to_the_remaining_quota(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--quota", 60, "--followers", 100)
    progress = narrowcast(sandbox, {"upToRemainingQuota": True, "forbidPartialDelivery": True})
    assert (progress["phase"], progress["errorCode"]) == ("failed", 5)
    assert narrowcast(sandbox, {"upToRemainingQuota": True})["phase"] == "succeeded"
    assert len(sandbox.deliveries()) == 60


def test_a_narrowcast_without_room_in_the_quota_fails_when_it_starts(
    start_sandbox: Callable[..., SandboxClient],
) -> None:
    sandbox = start_sandbox("--quota", 60, "--followers", 100)
    progress = narrowcast(sandbox, {})
    assert (progress["phase"], progress["errorCode"]) == ("failed", 1)
    assert sandbox.push(sandbox.followers(1)[0]).status_code == 200, "a failed narrowcast reserves nothing"
    assert narrowcast(sandbox, {"max": 59})["phase"] == "succeeded"
    assert len(sandbox.deliveries()) == 60
    response = sandbox.request("POST", "/v2/bot/message/narrowcast", json={"messages": ONE_TEXT})
    assert (response.status_code, response.json()) == (429, MONTHLY_LIMIT)


async def test_without_a_quota_there_is_no_limit(sdk: Sdk) -> None:
    quota = await sdk.messaging.get_message_quota()
    assert (quota.type, quota.value) == ("none", None)


async def test_counts_of_sent_messages_are_ready_on_the_next_day(sdk: Sdk, sandbox: SandboxClient) -> None:
    first, second, third = sandbox.followers(3)
    sandbox.push(first)
    sandbox.request("POST", "/v2/bot/message/multicast", json={"to": [first, second, third], "messages": ONE_TEXT})
    sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT})
    today = line_day(sandbox)
    methods = ("push", "multicast", "broadcast", "reply")
    for method in methods:
        response = await getattr(sdk.messaging, f"get_number_of_sent_{method}_messages")(today)
        assert (response.status, response.success) == ("unready", None)
    sandbox.advance(24 * 3600)
    counts = [
        (await getattr(sdk.messaging, f"get_number_of_sent_{method}_messages")(today)).success for method in methods
    ]
    assert counts == [1, 3, 1000, 0]


async def test_counts_before_march_31_2018_are_out_of_service(sdk: Sdk) -> None:
    assert (await sdk.messaging.get_number_of_sent_push_messages("20180330")).status == "out_of_service"
    assert (await sdk.messaging.get_number_of_sent_push_messages("20180331")).status == "ready"


@pytest.mark.parametrize("date", [None, "", "2026-01-01", "20261301", "20260230", "1", "２０２６０１０１"])
def test_an_invalid_date_is_rejected(sandbox: SandboxClient, date: str | None) -> None:
    response = sandbox.request(
        "GET", "/v2/bot/message/delivery/push", params={"date": date} if date is not None else {}
    )
    assert (response.status_code, response.json()) == (
        400,
        {"message": "The value for the 'date' parameter is invalid"},
    )


def test_counts_of_phone_number_pushes_are_forbidden(sandbox: SandboxClient) -> None:
    assert sandbox.request("GET", "/v2/bot/message/delivery/pnp", params={"date": "20260101"}).status_code == 403


async def test_unit_names_of_the_current_month_are_listed(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    names = [f"unit_{number:03d}" for number in range(150)]
    for name in [*names, names[0]]:
        sandbox.push(line_id, customAggregationUnits=[name])
    assert (await sdk.messaging.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 150
    first = await sdk.messaging.get_aggregation_unit_name_list(limit="100")
    rest = await sdk.messaging.get_aggregation_unit_name_list(limit="100", start=first.next)
    assert first.custom_aggregation_units + rest.custom_aggregation_units == names
    assert rest.next is None
    sandbox.advance(32 * 24 * 3600)
    assert (await sdk.messaging.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 0


def test_only_pushes_and_multicasts_have_units(sandbox: SandboxClient) -> None:
    source = {"type": "user", "userId": sandbox.followers(1)[0]}
    event = {"type": "follow", "replyToken": "token", "source": source}
    sandbox.post("webhooks", url=sandbox.url + "/nowhere", events=[event])
    for method, fields in (("broadcast", {}), ("narrowcast", {}), ("reply", {"replyToken": "token"})):
        body = {"messages": ONE_TEXT, "customAggregationUnits": [method], **fields}
        assert sandbox.request("POST", f"/v2/bot/message/{method}", json=body).ok
    sandbox.advance(60)
    used = sandbox.request("GET", "/v2/bot/message/aggregation/info").json()
    assert used == {"numOfCustomAggregationUnits": 0}
    assert {tuple(delivery["custom_aggregation_units"]) for delivery in sandbox.deliveries()} == {()}


def test_the_1001st_unit_name_of_a_month_is_ignored(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 1, "--no-rate-limits", "--no-access-log")
    line_id = sandbox.followers(1)[0]
    for number in range(1001):
        assert sandbox.push(line_id, customAggregationUnits=[f"unit_{number}"]).status_code == 200
    assert sandbox.push(line_id, customAggregationUnits=["unit_7"]).status_code == 200
    used = sandbox.request("GET", "/v2/bot/message/aggregation/info").json()
    assert used == {"numOfCustomAggregationUnits": 1000}
    units = [delivery["custom_aggregation_units"] for delivery in sandbox.deliveries()]
    assert units[998:] == [["unit_998"], ["unit_999"], [], ["unit_7"]]


@pytest.mark.parametrize("units", [["a", "b"], ["x" * 31], [""], ["with space"], ["ü"], "spring", [7]])
def test_an_invalid_unit_name_is_rejected(sandbox: SandboxClient, units: Any) -> None:
    response = sandbox.push(sandbox.followers(1)[0], customAggregationUnits=units)
    assert response.status_code == 400
    assert response.json()["details"][0]["property"].startswith("customAggregationUnits")


async def test_the_sdk_raises_an_error_when_the_quota_is_used_up(start_sandbox: Callable[..., SandboxClient]) -> None:
    from tests.support.sandbox_clients import Sdk  # noqa: PLC0415 - this test starts its own sandbox

    sandbox = start_sandbox("--quota", 0, "--followers", 3)
    for is_async in (False, True):
        client = Sdk(sandbox.url, is_async=is_async)
        with pytest.raises(ApiException) as error:
            await client.messaging.push_message(
                PushMessageRequest(to=sandbox.followers(1)[0], messages=[TextMessage(text="one too many")])
            )
        assert (error.value.status, "monthly limit" in error.value.body) == (429, True)
        await client.close()
