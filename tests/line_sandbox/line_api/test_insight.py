"""LINE's official SDK reads statistics: days without figures, growth over 14 days, nulls for fewer than 20 users."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.insight.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient, Sdk

LINKS = [{"type": "uri", "label": "Shop", "uri": f"https://shop.example/{name}"} for name in ("a", "b")]
TEMPLATE = {"type": "template", "altText": "x", "template": {"type": "confirm", "text": "Look?", "actions": LINKS}}
VIDEO = {
    "type": "video",
    "originalContentUrl": "https://shop.example/a.mp4",
    "previewImageUrl": "https://shop.example/a.png",
}


def day(sandbox: SandboxClient, days: int = 0) -> str:
    now = date.fromisoformat(sandbox.get("overview")["today"])
    return f"{now + timedelta(days=days):%Y%m%d}"


async def test_follower_counts_are_ready_on_the_next_day(sdk: Sdk, sandbox: SandboxClient) -> None:
    today = await sdk.insight.get_number_of_followers(var_date=day(sandbox))
    assert (today.status, today.followers, today.blocks) == ("unready", None, None)
    yesterday = await sdk.insight.get_number_of_followers(var_date=day(sandbox, -1))
    assert (yesterday.status, yesterday.followers, yesterday.blocks) == ("ready", 1050, 50)
    assert 0 < yesterday.targeted_reaches < 1000
    sandbox.set_user(sandbox.followers(1)[0], "blocked")
    sandbox.set_user("U" + "ab" * 16, "following")
    sandbox.advance(24 * 3600)
    after = await sdk.insight.get_number_of_followers(var_date=day(sandbox, -1))
    assert (after.followers, after.blocks) == (1051, 51)
    again = await sdk.insight.get_number_of_followers(var_date=day(sandbox, -2))
    assert (again.followers, again.blocks) == (1050, 50), "counts of past days do not change"


async def test_follower_counts_grow_and_are_out_of_service_before_november_2016(sdk: Sdk) -> None:
    days = ("20190401", "20210101", "20230101", "20250101")
    followers = [(await sdk.insight.get_number_of_followers(var_date=one)).followers for one in days]
    assert followers == sorted(followers)
    assert followers[0] == 0
    assert (await sdk.insight.get_number_of_followers(var_date="20161031")).status == "out_of_service"


async def test_delivery_counts_include_messages_sent_by_the_api(sdk: Sdk, sandbox: SandboxClient) -> None:
    for line_id in sandbox.followers(3):
        sandbox.push(line_id)
    sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": [{"type": "text", "text": "x"}]})
    today = day(sandbox)
    assert (await sdk.insight.get_number_of_message_deliveries(today)).status == "unready"
    sandbox.advance(24 * 3600)
    sent = await sdk.insight.get_number_of_message_deliveries(today)
    assert (sent.status, sent.api_push, sent.api_broadcast) == ("ready", 3, 1000)
    assert sent.api_multicast is None, "counts of zero are omitted"
    assert (await sdk.insight.get_number_of_message_deliveries("20170228")).status == "out_of_service"


@pytest.mark.parametrize("path", ["followers", "message/delivery"])
@pytest.mark.parametrize("text", ["2026-01-01", "20261301", "x"])
def test_an_invalid_date_is_a_bad_request(sandbox: SandboxClient, path: str, text: str) -> None:
    response = sandbox.request("GET", f"/v2/bot/insight/{path}", params={"date": text})
    assert (response.status_code, response.json()) == (400, {"message": "Bad Request"})


def test_follower_counts_need_a_date(sandbox: SandboxClient) -> None:
    assert sandbox.request("GET", "/v2/bot/insight/followers").json() == {"message": "date is required"}


async def test_demographic_percentages_add_up_to_100(sdk: Sdk) -> None:
    friends = await sdk.insight.get_friends_demographics()
    assert friends.available
    for tiles in (friends.genders, friends.ages, friends.areas, friends.app_types, friends.subscription_periods):
        assert sum(tile.percentage for tile in tiles) == pytest.approx(100, abs=3)
    assert {tile.gender for tile in friends.genders} == {"male", "female", "unknown"}
    assert "東京" in {tile.area for tile in friends.areas}


def test_demographics_of_fewer_than_20_friends_are_unavailable(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 19)
    assert sandbox.request("GET", "/v2/bot/insight/demographic").json() == {
        "available": False,
        "genders": [],
        "ages": [],
        "areas": [],
        "appTypes": [],
        "subscriptionPeriods": [],
    }


def broadcast(sandbox: SandboxClient, *messages: dict[str, Any]) -> str:
    response = sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": list(messages)})
    return response.headers["x-line-request-id"]


async def test_interactions_with_a_broadcast_grow_for_14_days(sdk: Sdk, sandbox: SandboxClient) -> None:
    request_id = broadcast(sandbox, TEMPLATE, VIDEO)
    opened = []
    for _ in range(17):
        sandbox.advance(24 * 3600)
        event = await sdk.insight.get_message_event(request_id)
        opened.append(event.overview.unique_impression)
    assert opened == sorted(opened)
    assert opened[0] < opened[13]
    assert opened[13:] == [opened[13]] * 4
    assert (event.overview.request_id, event.overview.delivered) == (request_id, 1000)
    assert [message.seq for message in event.messages] == [1, 2]
    assert [(click.seq, click.url) for click in event.clicks] == [(1, link["uri"]) for link in LINKS]
    assert event.messages[0].unique_media_played is None
    assert event.messages[1].unique_media_played > event.messages[1].unique_media_played100_percent > 20
    assert event.messages[1].media_played >= event.messages[1].unique_media_played


async def test_figures_below_20_are_null(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 25)
    request_id = broadcast(sandbox, TEMPLATE)
    sandbox.advance(20 * 24 * 3600)
    response = sandbox.request("GET", "/v2/bot/insight/message/event", params={"requestId": request_id}).json()
    assert response["overview"]["delivered"] == 25
    assert {response["overview"][name] for name in ("uniqueImpression", "uniqueClick", "uniqueMediaPlayed")} == {None}
    assert (response["messages"], response["clicks"]) == ([], [])


async def test_a_narrowcast_in_progress_has_no_statistics(sdk: Sdk, sandbox: SandboxClient) -> None:
    body = {"messages": [{"type": "text", "text": "x"}]}
    request_id = sandbox.request("POST", "/v2/bot/message/narrowcast", json=body).headers["x-line-request-id"]
    before = await sdk.insight.get_message_event(request_id)
    assert (before.overview.request_id, before.overview.delivered, before.messages) == (request_id, None, [])
    sandbox.advance(60)
    assert (await sdk.insight.get_message_event(request_id)).overview.delivered == 1000


async def test_pushes_have_no_statistics_by_request(sdk: Sdk, sandbox: SandboxClient) -> None:
    request_id = sandbox.push(sandbox.followers(1)[0]).headers["x-line-request-id"]
    with pytest.raises(ApiException) as error:
        await sdk.insight.get_message_event(request_id)
    assert error.value.status == 404


async def test_statistics_of_a_unit_are_the_sum_of_its_messages(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_ids = sandbox.followers(600)
    body = {"to": line_ids[:500], "messages": [TEMPLATE], "customAggregationUnits": ["spring"]}
    sandbox.request("POST", "/v2/bot/message/multicast", json=body)
    sandbox.advance(24 * 3600)
    sandbox.request("POST", "/v2/bot/message/multicast", json=body | {"to": line_ids[500:]})
    first, second = day(sandbox, -1), day(sandbox)
    sandbox.advance(20 * 24 * 3600)

    async def impressions(start: str, end: str) -> int | None:
        statistics = await sdk.insight.get_statistics_per_unit("spring", start, end)
        count: int | None = statistics.overview.unique_impression
        return count

    both = await impressions(first, second)
    one, other = await impressions(first, first), await impressions(second, second)
    assert one
    assert other
    assert both == one + other
    statistics = await sdk.insight.get_statistics_per_unit("spring", first, second)
    assert [message.seq for message in statistics.messages] == [1]
    assert statistics.messages[0].unique_impression == both
    assert len(statistics.clicks) == 2
    nothing = await sdk.insight.get_statistics_per_unit("Spring", first, second)
    assert (nothing.overview.unique_impression, nothing.messages, nothing.clicks) == (None, [], [])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"customAggregationUnit": "x", "from": "20260101"},
        {"customAggregationUnit": "x", "from": "20260101", "to": "20260202"},
        {"customAggregationUnit": "x", "from": "20260102", "to": "20260101"},
        {"customAggregationUnit": "x" * 31, "from": "20260101", "to": "20260101"},
    ],
)
def test_statistics_of_a_unit_need_valid_parameters(sandbox: SandboxClient, parameters: dict[str, str]) -> None:
    response = sandbox.request("GET", "/v2/bot/insight/message/event/aggregation", params=parameters)
    assert response.status_code == 400
    assert response.json() == {"message": None, "key": None, "stacktrace": None, "code": None}


async def test_daily_rich_menu_figures_add_up_to_the_total(sdk: Sdk, sandbox: SandboxClient) -> None:
    menu = (await sdk.messaging.get_rich_menu_list()).richmenus[0]
    start, end = day(sandbox, -40), day(sandbox, -1)
    total = await sdk.insight.get_rich_menu_insight_summary(menu.rich_menu_id, start, end)
    daily = await sdk.insight.get_rich_menu_insight_daily(menu.rich_menu_id, start, end)
    assert (total.metrics_from, total.metrics_to) == (start, end)
    assert len(daily.impression.metrics) == 40
    assert sum(metric.count for metric in daily.impression.metrics) == total.impression.metrics.count
    assert [click.bounds for click in daily.clicks] == [click.bounds for click in total.clicks]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (0, -1, "Parameter to must be the same date as, or after parameter from."),
        (-120, 0, "Date range exceeds. Max range is 99 days."),
        (-1200, -1190, "Parameter from must be the same date as, or after"),
    ],
)
def test_rich_menu_figures_need_a_valid_date_range(sandbox: SandboxClient, start: int, end: int, message: str) -> None:
    menu = sandbox.request("GET", "/v2/bot/richmenu/list").json()["richmenus"][0]["richMenuId"]
    parameters = {"from": day(sandbox, start), "to": day(sandbox, end)}
    response = sandbox.request("GET", f"/v2/bot/insight/richmenu/{menu}/daily", params=parameters)
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)


def test_a_rich_menu_with_few_clicks_has_no_figures(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 20)
    menu = sandbox.request("GET", "/v2/bot/richmenu/list").json()["richmenus"][0]["richMenuId"]
    parameters = {"from": day(sandbox, -30), "to": day(sandbox, -1)}
    response = sandbox.request("GET", f"/v2/bot/insight/richmenu/{menu}/summary", params=parameters)
    assert response.json() == {"richMenuId": menu}
