"""LINE's official SDK sends messages: deliveries, ignored recipients, and rejected requests."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3.messaging import (
    AudienceRecipient,
    BroadcastRequest,
    Filter,
    GenderDemographicFilter,
    ImageMessage,
    Limit,
    MulticastRequest,
    NarrowcastRequest,
    PushMessageRequest,
    RedeliveryRecipient,
    StickerMessage,
    TextMessage,
    ValidateMessageRequest,
)
from linebot.v3.messaging.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_clients import SandboxClient, Sdk

UNKNOWN = "U" + "0" * 32
HELLO = TextMessage(text="hello")
ONE_TEXT = [{"type": "text", "text": "hello"}]


async def test_a_push_is_delivered_with_all_its_properties(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_id = sandbox.followers(1)[0]
    messages = [
        HELLO,
        StickerMessage(packageId="446", stickerId="1988"),
        ImageMessage(originalContentUrl="https://shop.example/a.png", previewImageUrl="https://shop.example/b.png"),
    ]
    request = PushMessageRequest(
        to=line_id, messages=messages, notificationDisabled=True, customAggregationUnits=["spring"]
    )
    response = await sdk.messaging.push_message(request, x_line_retry_key=str(key := uuid.uuid4()))
    assert len({sent.id for sent in response.sent_messages}) == 3
    assert all(sent.id.isdigit() and sent.quote_token for sent in response.sent_messages)
    (delivery,) = sandbox.deliveries()
    assert delivery | {"request_id": None, "at": None} == {
        "line_id": line_id,
        "endpoint": "POST /v2/bot/message/push",
        "request_id": None,
        "retry_key": str(key),
        "messages": [message.to_dict() for message in messages],
        "custom_aggregation_units": ["spring"],
        "notification_disabled": True,
        "at": None,
    }


@pytest.mark.parametrize("state", ["blocked", "left", "stranger"])
async def test_a_push_to_a_user_who_does_not_follow_is_accepted_but_not_delivered(
    sdk: Sdk, sandbox: SandboxClient, state: str
) -> None:
    line_id = sandbox.followers(1)[0]
    sandbox.set_user(line_id, state)
    response = await sdk.messaging.push_message(PushMessageRequest(to=line_id, messages=[HELLO]))
    assert len(response.sent_messages) == 1
    assert sandbox.deliveries() == []
    assert sandbox.get("summary")["quota_used"] == 0


async def test_a_push_to_an_unknown_id_fails(sdk: Sdk, sandbox: SandboxClient) -> None:
    with pytest.raises(ApiException) as error:
        await sdk.messaging.push_message(PushMessageRequest(to=UNKNOWN, messages=[HELLO]))
    assert error.value.status == 400
    assert error.value.body == '{"message":"Failed to send messages"}'
    assert sandbox.deliveries() == []


def test_a_push_to_a_malformed_id_is_rejected_with_the_property(sandbox: SandboxClient) -> None:
    response = sandbox.push("U123")
    assert response.status_code == 400
    assert response.json()["message"] == "The property, 'to', in the request body is invalid (line: -, column: -)"


def test_a_stranger_receives_pushes_for_seven_days_after_a_message(sandbox: SandboxClient) -> None:
    stranger = sandbox.followers(1)[0]
    sandbox.set_user(stranger, "stranger")
    event = {"type": "message", "source": {"type": "user", "userId": stranger}, "message": {"id": "1", "type": "text"}}
    sandbox.post("webhooks", url=sandbox.url + "/nowhere", events=[event])
    sandbox.push(stranger, "first")
    sandbox.advance(7 * 24 * 3600)
    sandbox.push(stranger, "too late")
    assert [delivery["messages"][0]["text"] for delivery in sandbox.deliveries()] == ["first"]


async def test_a_push_to_a_group_counts_its_members(sdk: Sdk, sandbox: SandboxClient) -> None:
    group = sandbox.get("chats")["group_ids"][0]
    await sdk.messaging.push_message(PushMessageRequest(to=group, messages=[HELLO]))
    members = (await sdk.messaging.get_group_member_count(group)).count
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == [group]
    assert (await sdk.messaging.get_message_quota_consumption()).total_usage == members


async def test_a_multicast_ignores_users_who_do_not_follow(sdk: Sdk, sandbox: SandboxClient) -> None:
    first, blocked, third = sandbox.followers(3)
    sandbox.set_user(blocked, "blocked")
    to = [first, blocked, UNKNOWN, third, first]
    await sdk.messaging.multicast(MulticastRequest(to=to, messages=[HELLO], customAggregationUnits=["x"]))
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == [first, third]
    assert len({delivery["request_id"] for delivery in sandbox.deliveries()}) == 1


@pytest.mark.parametrize("malformed", ["U123", "C" + "0" * 32, "", "U" + "A" * 32])
def test_one_malformed_id_rejects_the_whole_multicast(sandbox: SandboxClient, malformed: str) -> None:
    to = [sandbox.followers(1)[0], malformed]
    response = sandbox.request("POST", "/v2/bot/message/multicast", json={"to": to, "messages": ONE_TEXT})
    assert response.status_code == 400
    assert response.json()["message"] == "The property, to[1], in the request body is invalid (line: -, column: -)"
    assert sandbox.deliveries() == []


def test_unknown_ids_can_reject_a_multicast(start_sandbox: Callable[..., SandboxClient]) -> None:
    sandbox = start_sandbox("--followers", 3, "--multicast-rejects-unknown-ids")
    first, blocked, third = sandbox.followers(3)
    sandbox.set_user(blocked, "blocked")
    for to, status in (([first, UNKNOWN, third], 400), ([first, blocked, third], 200)):
        response = sandbox.request("POST", "/v2/bot/message/multicast", json={"to": to, "messages": ONE_TEXT})
        assert response.status_code == status
    rejected = sandbox.request("POST", "/v2/bot/message/multicast", json={"to": [UNKNOWN], "messages": ONE_TEXT})
    assert rejected.json()["message"] == "The property, to[0], in the request body is invalid (line: -, column: -)"
    assert [delivery["line_id"] for delivery in sandbox.deliveries()] == [first, third]


@pytest.mark.parametrize("count", [0, 501])
def test_a_multicast_has_1_to_500_recipients(sandbox: SandboxClient, count: int) -> None:
    body = {"to": sandbox.followers(1) * count, "messages": ONE_TEXT}
    response = sandbox.request("POST", "/v2/bot/message/multicast", json=body)
    assert response.status_code == 400
    assert response.json()["details"] == [{"message": "Size must be between 1 and 500", "property": "to"}]


async def test_a_broadcast_reaches_each_follower_once(sdk: Sdk, sandbox: SandboxClient) -> None:
    blocked = sandbox.followers(1)[0]
    sandbox.set_user(blocked, "blocked")
    await sdk.messaging.broadcast(BroadcastRequest(messages=[HELLO]))
    reached = [delivery["line_id"] for delivery in sandbox.deliveries()]
    assert sorted(reached) == sorted(sandbox.followers(2000))
    assert len(reached) == 999
    assert sandbox.get("summary")["recipients"] == 999


async def test_a_narrowcast_goes_through_its_phases(sdk: Sdk, sandbox: SandboxClient) -> None:
    response = await sdk.messaging.narrowcast_with_http_info(NarrowcastRequest(messages=[HELLO]))
    request_id = response.headers["x-line-request-id"]
    progress = await sdk.messaging.get_narrowcast_progress(request_id)
    assert (progress.phase, progress.target_count, progress.completed_time) == ("waiting", None, None)
    sandbox.advance(7.5)
    progress = await sdk.messaging.get_narrowcast_progress(request_id)
    assert (progress.phase, progress.target_count) == ("sending", 1000)
    assert 0 < progress.success_count < 1000
    assert sandbox.deliveries() == []
    sandbox.advance(5)
    progress = await sdk.messaging.get_narrowcast_progress(request_id)
    assert (progress.phase, progress.success_count, progress.failure_count) == ("succeeded", 1000, 0)
    assert progress.completed_time > progress.accepted_time
    assert len(sandbox.deliveries()) == 1000
    assert {delivery["request_id"] for delivery in sandbox.deliveries()} == {request_id}
    sandbox.advance(14 * 24 * 3600)
    with pytest.raises(ApiException) as error:
        await sdk.messaging.get_narrowcast_progress(request_id)
    assert error.value.status == 404


def narrowcast(sandbox: SandboxClient, **body: Any) -> tuple[int, dict[str, Any]]:
    """Send a narrowcast and advance the clock past its end; return the HTTP status and the progress or error."""
    response = sandbox.request("POST", "/v2/bot/message/narrowcast", json={"messages": ONE_TEXT, **body})
    if response.status_code != 202:
        return response.status_code, response.json()
    sandbox.advance(60)
    request_id = response.headers["x-line-request-id"]
    progress = sandbox.request("GET", "/v2/bot/message/progress/narrowcast", params={"requestId": request_id})
    return 202, progress.json()


def audience(sandbox: SandboxClient, line_ids: list[str], name: str = "mine") -> int:
    body = {"description": name, "audiences": [{"id": line_id} for line_id in line_ids]}
    number: int = sandbox.request("POST", "/v2/bot/audienceGroup/upload", json=body).json()["audienceGroupId"]
    sandbox.advance(10)
    return number


async def test_a_narrowcast_reaches_an_audience(sdk: Sdk, sandbox: SandboxClient) -> None:
    line_ids = sandbox.followers(30)
    number = audience(sandbox, line_ids)
    request = NarrowcastRequest(messages=[HELLO], recipient=AudienceRecipient(audienceGroupId=number))
    response = await sdk.messaging.narrowcast_with_http_info(request)
    sandbox.advance(60)
    assert sorted(delivery["line_id"] for delivery in sandbox.deliveries()) == sorted(line_ids)
    again = RedeliveryRecipient(requestId=response.headers["x-line-request-id"])
    await sdk.messaging.narrowcast(NarrowcastRequest(messages=[HELLO], recipient=again))
    sandbox.advance(60)
    assert len(sandbox.deliveries()) == 60


def test_recipients_who_block_the_account_during_a_narrowcast_are_failures(sandbox: SandboxClient) -> None:
    line_ids = sandbox.followers(4)
    recipient = {"type": "audience", "audienceGroupId": audience(sandbox, line_ids)}
    body = {"messages": ONE_TEXT, "recipient": recipient}
    response = sandbox.request("POST", "/v2/bot/message/narrowcast", json=body)
    sandbox.set_user(line_ids[0], "blocked")
    sandbox.advance(7)
    sandbox.set_user(line_ids[1], "blocked")
    sandbox.advance(60)
    parameters = {"requestId": response.headers["x-line-request-id"]}
    progress = sandbox.request("GET", "/v2/bot/message/progress/narrowcast", params=parameters).json()
    counts = [progress[name] for name in ("phase", "targetCount", "successCount", "failureCount")]
    assert counts == ["succeeded", 3, 2, 1]
    assert sorted(entry["line_id"] for entry in sandbox.deliveries()) == sorted(line_ids[2:])


async def test_a_demographic_filter_chooses_among_all_followers(sdk: Sdk, sandbox: SandboxClient) -> None:
    for gender in ("male", "female"):
        chosen = Filter(demographic=GenderDemographicFilter(oneOf=[gender]))
        await sdk.messaging.narrowcast(NarrowcastRequest(messages=[HELLO], filter=chosen, limit=Limit(max=100_000)))
    sandbox.advance(60)
    reached = [delivery["line_id"] for delivery in sandbox.deliveries()]
    assert len(reached) == len(set(reached))
    assert 800 < len(reached) < 1000, "the gender of some followers is unknown"


def test_demographic_filters_can_be_combined(sandbox: SandboxClient) -> None:
    def reached(demographic: dict[str, Any]) -> int:
        status, progress = narrowcast(sandbox, filter={"demographic": demographic})
        assert status == 202, progress
        count: int = progress.get("targetCount", 0)
        return count

    male = {"type": "gender", "oneOf": ["male"]}
    young = {"type": "age", "gte": "age_20", "lt": "age_50"}
    both = reached({"type": "operator", "and": [male, young]})
    either = reached({"type": "operator", "or": [male, young]})
    assert both + either == reached(male) + reached(young)
    assert reached({"type": "operator", "not": male}) == 1000 - reached(male)
    assert reached({"type": "appType", "oneOf": ["ios", "android"]}) > 400
    assert reached({"type": "area", "oneOf": ["jp_01", "jp_02", "jp_03"]}) > 30
    recent, old = ({"type": "subscriptionPeriod", **side} for side in ({"lt": "day_365"}, {"gte": "day_365"}))
    assert reached(recent) + reached(old) == 1000


def test_operators_do_not_count_as_filters(sandbox: SandboxClient) -> None:
    areas = [{"type": "area", "oneOf": [f"jp_{number:02d}"]} for number in range(1, 11)]
    nested = {"type": "operator", "or": [{"type": "operator", "or": [area]} for area in areas]}
    status, progress = narrowcast(sandbox, filter={"demographic": nested})
    assert status == 202, progress


def test_audiences_can_be_combined(sandbox: SandboxClient) -> None:
    line_ids = sandbox.followers(120)
    first, second = audience(sandbox, line_ids[:80], "first"), audience(sandbox, line_ids[40:], "second")
    one, two = ({"type": "audience", "audienceGroupId": number} for number in (first, second))
    both = narrowcast(sandbox, recipient={"type": "operator", "and": [one, two]})[1]
    either = narrowcast(sandbox, recipient={"type": "operator", "or": [one, two]})[1]
    only_first = {"type": "operator", "and": [one, {"type": "operator", "not": two}]}
    assert (both["targetCount"], either["targetCount"]) == (40, 120)
    assert narrowcast(sandbox, recipient=only_first)[1]["targetCount"] == 40


def test_a_narrowcast_does_not_exceed_its_limit(sandbox: SandboxClient) -> None:
    assert narrowcast(sandbox, limit={"max": 70})[1]["targetCount"] == 70
    assert len({delivery["line_id"] for delivery in sandbox.deliveries()}) == 70


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"recipient": {"type": "audience", "audienceGroupId": 1}},
            400,
            "Invalid audience group id: 1",
        ),
        (
            {"recipient": {"type": "redelivery", "requestId": str(uuid.UUID(int=1))}},
            400,
            f"Invalid request id: {uuid.UUID(int=1)}",
        ),
        (
            {"limit": {"forbidPartialDelivery": True}},
            400,
            "The option forbidPartialDelivery must be used with upToRemainingQuota.",
        ),
        ({"recipient": {"type": "operator"}}, 400, "The request body has 1 error(s)"),
        ({"filter": {"demographic": {"type": "age"}}}, 400, "The request body has 1 error(s)"),
        (
            {"filter": {"demographic": {"type": "age", "gte": "age_30", "lt": "age_30"}}},
            400,
            "The request body has 1 error(s)",
        ),
        (
            {"filter": {"demographic": {"type": "subscriptionPeriod", "gte": "day_30", "lt": "day_7"}}},
            400,
            "The request body has 1 error(s)",
        ),
        (
            {"filter": {"demographic": {"type": "operator", "or": [{"type": "area", "oneOf": ["jp_01"]}] * 11}}},
            400,
            "The request body has 1 error(s)",
        ),
    ],
)
def test_an_invalid_narrowcast_is_rejected(
    sandbox: SandboxClient, body: dict[str, Any], status: int, message: str
) -> None:
    response = narrowcast(sandbox, **body)
    assert (response[0], response[1]["message"]) == (status, message)


def test_a_narrowcast_with_too_few_recipients_fails(sandbox: SandboxClient) -> None:
    few = {"type": "operator", "and": [{"type": "area", "oneOf": ["jp_47"]}, {"type": "gender", "oneOf": ["male"]}]}
    status, progress = narrowcast(sandbox, filter={"demographic": few})
    assert (status, progress["phase"], progress["errorCode"]) == (202, "failed", 2)
    assert sandbox.deliveries() == []


def test_an_audience_that_is_not_ready_is_rejected(sandbox: SandboxClient) -> None:
    body = {"description": "new", "audiences": [{"id": line_id} for line_id in sandbox.followers(60)]}
    number = sandbox.request("POST", "/v2/bot/audienceGroup/upload", json=body).json()["audienceGroupId"]
    recipient = {"type": "audience", "audienceGroupId": number}
    response = sandbox.request(
        "POST", "/v2/bot/message/narrowcast", json={"messages": ONE_TEXT, "recipient": recipient}
    )
    assert (response.status_code, response.json()["message"]) == (400, f"Invalid audience group id: {number}")


@pytest.mark.parametrize("method", ["reply", "push", "multicast", "narrowcast", "broadcast"])
async def test_validation_does_not_send_messages(sdk: Sdk, sandbox: SandboxClient, method: str) -> None:
    validate = getattr(sdk.messaging, f"validate_{method}")
    await validate(ValidateMessageRequest(messages=[HELLO]))
    with pytest.raises(ApiException) as error:
        await validate(ValidateMessageRequest(messages=[TextMessage(text="x" * 5001)]))
    assert error.value.status == 400
    assert '"property":"messages[0].text"' in error.value.body
    assert "Length must be between 0 and 5000" in error.value.body
    assert sandbox.deliveries() == []
    assert sandbox.get("summary")["quota_used"] == 0


def test_every_invalid_property_of_a_request_is_listed(sandbox: SandboxClient) -> None:
    messages = [{"type": "text"}, {"type": "hologram"}, {"type": "text", "text": ""}]
    response = sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": messages})
    assert response.status_code == 400
    assert response.json()["message"] == "The request body has 3 error(s)"
    assert [detail["property"] for detail in response.json()["details"]] == [
        "messages[0].text",
        "messages[1].type",
        "messages[2].text",
    ]


TOO_MANY_ACTIONS = [{"type": "message", "label": "a", "text": "a"}] * 4
BUTTONS = {"type": "buttons", "text": "x", "actions": TOO_MANY_ACTIONS[:1]}


def template(**fields: Any) -> dict[str, Any]:
    return {"type": "template", "altText": "x", "template": {**BUTTONS, **fields}}


def bubble(component: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "box", "layout": "vertical", "contents": [component]}
    return {"type": "flex", "altText": "x", "contents": {"type": "bubble", "body": body}}


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (
            template(actions=[{"type": "uri", "label": "a", "uri": "ftp://x"}]),
            {"message": "invalid uri", "property": "template/actions/0/uri"},
        ),
        (
            template(title="x" * 41),
            {"message": "must not be longer than 40 characters", "property": "template/title"},
        ),
        (
            template(actions=TOO_MANY_ACTIONS * 2),
            {"message": "must not be more than 4 items", "property": "template/actions"},
        ),
        (
            bubble({"type": "text", "text": ""}),
            {"message": "must be non-empty text", "property": "/body/contents/0/text"},
        ),
        (
            bubble({"type": "image"}),
            {"message": "must be specified", "property": "/body/contents/0/url"},
        ),
        (
            bubble({"type": "button", "action": {"type": "message", "label": "x" * 41, "text": "x"}}),
            {"message": "invalid property", "property": "/body/contents/0/action/label"},
        ),
        (
            {"type": "textV2", "text": "a {brace"},
            {"message": "invalid braces", "property": "text"},
        ),
    ],
)
@pytest.mark.parametrize("method", ["push", "validate/push", "narrowcast"])
def test_a_problem_inside_a_message_has_the_shape_of_line(
    sandbox: SandboxClient, method: str, message: dict[str, Any], detail: dict[str, str]
) -> None:
    body = {"messages": [ONE_TEXT[0], message], "to": sandbox.followers(1)[0]}
    response = sandbox.request("POST", f"/v2/bot/message/{method}", json=body)
    assert (response.status_code, response.json()) == (
        400,
        {"message": "A message (messages[1])\N{NO-BREAK SPACE}in the request body is invalid", "details": [detail]},
    )


def test_a_missing_property_of_a_message_is_reported_first(sandbox: SandboxClient) -> None:
    messages = [template(title="x" * 41), {"type": "template"}]
    response = sandbox.request("POST", "/v2/bot/message/broadcast", json={"messages": messages})
    assert response.json() == {
        "message": "The request body has 2 error(s)",
        "details": [
            {"message": "May not be empty", "property": "messages[1].altText"},
            {"message": "May not be empty", "property": "messages[1].template"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"to": 1,}', "line: 1, column: 10"),
        ('{"text":\n "あ"\n x}'.encode(), "line: 3, column: 2"),
        (b'{\n"a": "\xff"}', "line: 2, column: 7"),
        (b'{"a": 1', "line: 1, column: 8"),
        (b"[]", "line: 1, column: 1"),
        (b"[" * 100_000, "line: -, column: -"),
    ],
)
def test_a_body_that_is_not_json_is_rejected_with_line_and_column(
    sandbox: SandboxClient, body: bytes, place: str
) -> None:
    headers = {"content-type": "application/json"}
    response = sandbox.request("POST", "/v2/bot/message/push", data=body, headers=headers)
    assert response.json()["message"] == f"The request body could not be parsed as JSON ({place})"


@pytest.mark.parametrize(
    ("body", "index"),
    [
        (b'{"to": "x", "messages": [{"type": "text", "text": "a\nb"}]}', 0),
        (b'{"messages": [{"type": "a, [b]{\\""}, {"quickReply": {"items": [,]}}]}', 1),
        (b'{"messages": [{"type": "a"}], "x": [{]}', None),
        (b'{"messages": [{"type": "a"},,]}', None),
    ],
)
def test_an_error_inside_a_message_names_the_message(sandbox: SandboxClient, body: bytes, index: int | None) -> None:
    headers = {"content-type": "application/json"}
    response = sandbox.request("POST", "/v2/bot/message/push", data=body, headers=headers)
    assert response.status_code == 400
    start = "The request body could not be parsed as JSON (line: 1, column: "
    if index is not None:
        start = f"The property, 'messages[{index}]', in the request body is invalid (line: 1, column: "
    assert response.json()["message"].startswith(start)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"messages":["\xff"]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"messages=x", "application/x-www-form-urlencoded", 415),
        (b'{"x":"' + b"x" * 2 * 1024 * 1024 + b'"}', "application/json", 413),
    ],
)
def test_an_invalid_body_is_rejected(sandbox: SandboxClient, body: bytes, content_type: str, status: int) -> None:
    headers = {"content-type": content_type}
    response = sandbox.request("POST", "/v2/bot/message/broadcast", data=body, headers=headers)
    assert response.status_code == status
    assert response.json()["message"]
    assert sandbox.deliveries() == []


def mentioning(**mentionee: str) -> list[dict[str, Any]]:
    mention = {"type": "mention", "mentionee": mentionee}
    return [{"type": "textV2", "text": "{who}, look", "substitution": {"who": mention}}]


def test_mentions_are_accepted_in_groups_only(sandbox: SandboxClient) -> None:
    line_id, group = sandbox.followers(1)[0], sandbox.get("chats")["group_ids"][0]
    for path, body in (
        ("push", {"to": line_id}),
        ("multicast", {"to": [line_id]}),
        ("broadcast", {}),
        ("narrowcast", {}),
    ):
        messages = mentioning(type="all")
        response = sandbox.request("POST", f"/v2/bot/message/{path}", json={**body, "messages": messages})
        assert response.status_code == 400, path
        assert response.json()["details"][0]["property"] == "messages[0].substitution"
    body = {"to": group, "messages": mentioning(type="all")}
    assert sandbox.request("POST", "/v2/bot/message/push", json=body).status_code == 200


@pytest.mark.parametrize(
    ("method", "status"),
    [("push", 200), ("reply", 200), ("multicast", 400), ("broadcast", 400), ("narrowcast", 400)],
)
def test_mentions_are_valid_in_pushes_and_replies_only(sandbox: SandboxClient, method: str, status: int) -> None:
    body = {"messages": mentioning(type="all")}
    response = sandbox.request("POST", f"/v2/bot/message/validate/{method}", json=body)
    assert response.status_code == status


def test_only_members_of_a_group_can_be_mentioned(sandbox: SandboxClient) -> None:
    group = sandbox.get("chats")["group_ids"][0]
    members = sandbox.request("GET", f"/v2/bot/group/{group}/members/ids").json()["memberIds"]
    other = next(line_id for line_id in sandbox.followers(1000) if line_id not in members)
    for user, status in ((members[0], 200), (other, 400), (UNKNOWN, 400)):
        body = {"to": group, "messages": mentioning(type="user", userId=user)}
        assert sandbox.request("POST", "/v2/bot/message/push", json=body).status_code == status


def test_a_reply_to_a_user_cannot_mention_anybody(sandbox: SandboxClient) -> None:
    line_id, group = sandbox.followers(1)[0], sandbox.get("chats")["group_ids"][0]
    events = [
        {"type": "follow", "replyToken": "user", "source": {"type": "user", "userId": line_id}},
        {"type": "join", "replyToken": "group", "source": {"type": "group", "groupId": group}},
    ]
    sandbox.post("webhooks", url=sandbox.url + "/nowhere", events=events)
    for token, status in (("user", 400), ("group", 200)):
        body = {"replyToken": token, "messages": mentioning(type="all")}
        assert sandbox.request("POST", "/v2/bot/message/reply", json=body).status_code == status
    body = {"replyToken": "user", "messages": ONE_TEXT}
    assert sandbox.request("POST", "/v2/bot/message/reply", json=body).status_code == 200, "the token was not used"
