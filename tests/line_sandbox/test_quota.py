"""The month's messages, what is counted, and custom aggregation units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import Control, Sdk

MONTHLY = {"message": "You have reached your monthly limit."}
ONE_TEXT = [{"type": "text", "text": "hello"}]


def line_day(control: Control, days: int = 0) -> str:
    """A day on LINE's calendar, as seen from the sandbox's today."""
    now = datetime.fromisoformat(control.post("clock", advance_seconds=0)["now"]).astimezone(UTC)
    return f"{now + timedelta(hours=9, days=days):%Y%m%d}"


def test_messages_beyond_the_quota_are_refused_and_not_delivered(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 3, "--followers", 10)
    people = sandbox.followers(5)
    assert [sandbox.push(person).status_code for person in people] == [200, 200, 200, 429, 429]
    answer = sandbox.push(people[0])
    assert answer.json() == MONTHLY
    assert len(sandbox.deliveries()) == sandbox.get("summary")["quota_used"] == 3
    quota = sandbox.line("GET", "/v2/bot/message/quota").json()
    used = sandbox.line("GET", "/v2/bot/message/quota/consumption").json()
    assert (quota, used) == ({"type": "limited", "value": 3}, {"totalUsage": 3})


def test_a_request_is_accepted_whole_or_not_at_all(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 3, "--followers", 10)
    body = {"to": sandbox.followers(4), "messages": ONE_TEXT}
    assert sandbox.line("POST", "/v2/bot/message/multicast", json=body).json() == MONTHLY
    assert sandbox.line("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT}).json() == MONTHLY
    assert sandbox.deliveries() == []


def test_four_bubbles_are_one_message_and_the_unreached_cost_nothing(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 5, "--followers", 10)
    first, second = sandbox.followers(2)
    sandbox.set_user(second, "blocked")
    for person in (first, second):
        body = {"to": person, "messages": ONE_TEXT * 4}
        assert sandbox.line("POST", "/v2/bot/message/push", json=body).status_code == 200
    assert sandbox.get("summary")["quota_used"] == 1


def test_the_next_month_begins_anew(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 1, "--followers", 10)
    person = sandbox.followers(1)[0]
    assert [sandbox.push(person).status_code for _ in range(2)] == [200, 429]
    sandbox.advance(32 * 24 * 3600)
    assert sandbox.push(person).status_code == 200


def test_a_running_narrowcast_reserves_messages_for_everybody(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 120, "--followers", 100)
    person = sandbox.followers(1)[0]
    recipients = {"description": "few", "audiences": [{"id": line_id} for line_id in sandbox.followers(10)]}
    number = sandbox.line("POST", "/v2/bot/audienceGroup/upload", json=recipients).json()["audienceGroupId"]
    sandbox.advance(10)
    recipient = {"type": "audience", "audienceGroupId": number}
    body = {"messages": ONE_TEXT, "recipient": recipient}
    assert sandbox.line("POST", "/v2/bot/message/narrowcast", json=body).status_code == 202
    # 10 people are meant, 100 reserved: of 120 messages 20 are left for the moment.
    assert [sandbox.push(person).status_code for _ in range(21)] == [200] * 20 + [429]
    assert sandbox.push(person).json() == MONTHLY
    sandbox.advance(60)
    assert sandbox.push(person).status_code == 200
    assert sandbox.get("summary")["quota_used"] == 31


def test_a_narrowcast_may_content_itself_with_what_is_left(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--quota", 60, "--followers", 100)
    narrowcast = "/v2/bot/message/narrowcast"
    assert sandbox.line("POST", narrowcast, json={"messages": ONE_TEXT}).json() == MONTHLY
    strict = {"upToRemainingQuota": True, "forbidPartialDelivery": True}
    answer = sandbox.line("POST", narrowcast, json={"messages": ONE_TEXT, "limit": strict})
    sandbox.advance(60)
    request_id = answer.headers["x-line-request-id"]
    progress = sandbox.line("GET", "/v2/bot/message/progress/narrowcast", params={"requestId": request_id}).json()
    assert (progress["phase"], progress["errorCode"]) == ("failed", 5)
    sandbox.line("POST", narrowcast, json={"messages": ONE_TEXT, "limit": {"upToRemainingQuota": True}})
    sandbox.advance(60)
    assert len(sandbox.deliveries()) == 60


async def test_without_a_quota_there_is_no_limit(sdk: Sdk) -> None:
    quota = await sdk.messaging.get_message_quota()
    assert (quota.type, quota.value) == ("none", None)


async def test_sent_messages_are_counted_the_day_after(sdk: Sdk, control: Control) -> None:
    first, second, third = control.followers(3)
    control.push(first)
    control.line("POST", "/v2/bot/message/multicast", json={"to": [first, second, third], "messages": ONE_TEXT})
    control.line("POST", "/v2/bot/message/broadcast", json={"messages": ONE_TEXT})
    today = line_day(control)
    ways = ("push", "multicast", "broadcast", "reply")
    for way in ways:
        answer = await getattr(sdk.messaging, f"get_number_of_sent_{way}_messages")(today)
        assert (answer.status, answer.success) == ("unready", None)
    control.advance(24 * 3600)
    counts = [(await getattr(sdk.messaging, f"get_number_of_sent_{way}_messages")(today)).success for way in ways]
    assert counts == [1, 3, 1000, 0]


async def test_days_before_line_counted_are_out_of_service(sdk: Sdk) -> None:
    assert (await sdk.messaging.get_number_of_sent_push_messages("20180330")).status == "out_of_service"
    assert (await sdk.messaging.get_number_of_sent_push_messages("20180331")).status == "ready"


@pytest.mark.parametrize("date", [None, "", "2026-01-01", "20261301", "20260230", "1", "２０２６０１０１"])
def test_a_date_that_is_none_is_refused(control: Control, date: str | None) -> None:
    answer = control.line("GET", "/v2/bot/message/delivery/push", params={"date": date} if date is not None else {})
    assert (answer.status_code, answer.json()) == (400, {"message": "The value for the 'date' parameter is invalid"})


def test_phone_number_pushes_are_for_contract_customers(control: Control) -> None:
    assert control.line("GET", "/v2/bot/message/delivery/pnp", params={"date": "20260101"}).status_code == 403


async def test_unit_names_of_the_month_are_listed(sdk: Sdk, control: Control) -> None:
    person = control.followers(1)[0]
    names = [f"unit_{number:03d}" for number in range(150)]
    for name in [*names, names[0]]:
        control.push(person, customAggregationUnits=[name])
    assert (await sdk.messaging.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 150
    first = await sdk.messaging.get_aggregation_unit_name_list(limit="100")
    rest = await sdk.messaging.get_aggregation_unit_name_list(limit="100", start=first.next)
    assert first.custom_aggregation_units + rest.custom_aggregation_units == names
    assert rest.next is None
    control.advance(32 * 24 * 3600)
    assert (await sdk.messaging.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 0


def test_the_1001st_unit_of_a_month_is_dropped_in_silence(start_sandbox: Callable[..., Control]) -> None:
    sandbox = start_sandbox("--followers", 1, "--no-rate-limits", "--no-access-log")
    person = sandbox.followers(1)[0]
    for number in range(1001):
        assert sandbox.push(person, customAggregationUnits=[f"unit_{number}"]).status_code == 200
    assert sandbox.push(person, customAggregationUnits=["unit_7"]).status_code == 200
    used = sandbox.line("GET", "/v2/bot/message/aggregation/info").json()
    assert used == {"numOfCustomAggregationUnits": 1000}
    units = [delivery["custom_aggregation_units"] for delivery in sandbox.deliveries()]
    assert units[998:] == [["unit_998"], ["unit_999"], [], ["unit_7"]]


@pytest.mark.parametrize("units", [["a", "b"], ["x" * 31], [""], ["with space"], ["ü"], "spring", [7]])
def test_a_unit_name_that_is_not_allowed_is_refused(control: Control, units: Any) -> None:
    answer = control.push(control.followers(1)[0], customAggregationUnits=units)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["property"].startswith("customAggregationUnits")


async def test_the_sdk_sees_the_quota_ending(start_sandbox: Callable[..., Control]) -> None:
    from tests.support.sandbox_clients import Sdk  # noqa: PLC0415 - needs a sandbox of its own

    sandbox = start_sandbox("--quota", 0, "--followers", 3)
    for is_async in (False, True):
        client = Sdk(sandbox.url, is_async=is_async)
        with pytest.raises(ApiException) as error:
            await client.messaging.push_message(
                PushMessageRequest(to=sandbox.followers(1)[0], messages=[TextMessage(text="one too many")])
            )
        assert (error.value.status, "monthly limit" in error.value.body) == (429, True)
        await client.close()
