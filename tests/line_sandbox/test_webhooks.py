"""Webhooks: LINE's official parser reads the generated events, and they agree with the state of the sandbox."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from linebot.v3 import WebhookParser
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    MarkMessagesAsReadByTokenRequest,
    ReplyMessageRequest,
    SetWebhookEndpointRequest,
    ShowLoadingAnimationRequest,
    TextMessage,
)
from linebot.v3.messaging import (
    TestWebhookEndpointRequest as EndpointTest,  # renamed, because pytest would collect a class named Test…
)
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.models.events import UnknownEvent

from tests.support.webhook_catcher import WebhookCatcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linebot.v3.webhooks import Event

    from tests.support.sandbox_clients import SandboxClient, Sdk

SECRET = "sandbox-secret"
ALL_TYPES = {
    "message",
    "unsend",
    "follow",
    "unfollow",
    "join",
    "leave",
    "memberJoined",
    "memberLeft",
    "postback",
    "videoPlayComplete",
    "beacon",
    "accountLink",
    "membership",
    "module",
    "activated",
    "deactivated",
    "botSuspended",
    "botResumed",
    "delivery",
}


@pytest.fixture
def catcher() -> Iterator[WebhookCatcher]:
    with WebhookCatcher() as listening:
        yield listening


def generate(sandbox: SandboxClient, catcher: WebhookCatcher, count: int, **options: Any) -> dict[str, Any]:
    generated = {"count": count, "seed": options.pop("seed", 1)}
    if types := options.pop("types", None):
        generated["types"] = types
    result: dict[str, Any] = sandbox.post("webhooks", url=catcher.url, generate=generated, **options)
    return result


def parse_events(catcher: WebhookCatcher) -> list[Event | UnknownEvent]:
    parser = WebhookParser(SECRET)
    return [event for headers, body in catcher.requests for event in parser.parse(body, headers["x-line-signature"])]


def test_the_official_parser_reads_every_type_of_event(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    types = sorted(ALL_TYPES)
    generate(sandbox, catcher, 2000, types=types, batch_size=20)
    events = parse_events(catcher)
    assert {event.type for event in events} == ALL_TYPES
    assert not [event for event in events if isinstance(event, UnknownEvent)]
    assert len(events) == 2000


def test_the_default_types_include_edits_and_every_type_of_message(
    sandbox: SandboxClient, catcher: WebhookCatcher
) -> None:
    generate(sandbox, catcher, 3000, batch_size=50)
    events = parse_events(catcher)
    message_types = {event.message.type for event in events if event.type == "message"}
    assert message_types == {"text", "image", "video", "audio", "file", "location", "sticker"}
    counts = Counter(event["type"] for event in catcher.events())
    assert counts.most_common(1)[0][0] == "message"
    assert counts["messageEdited"] > 0
    assert {event["source"]["type"] for event in catcher.events()} == {"user", "group", "room"}


def test_event_types_unknown_to_line_can_be_generated(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    generate(sandbox, catcher, 50, types=["hologram", "follow"])
    assert {event["type"] for event in catcher.events()} == {"hologram", "follow"}
    assert any(isinstance(event, UnknownEvent) for event in parse_events(catcher))


def test_the_signature_uses_the_channel_secret(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    generate(sandbox, catcher, 1, secret="another")
    headers, body = catcher.requests[0]
    WebhookParser("another").parse(body, headers["x-line-signature"])
    with pytest.raises(InvalidSignatureError):
        WebhookParser(SECRET).parse(body, headers["x-line-signature"])


def test_the_same_seed_generates_the_same_events(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    event_ids = [generate(sandbox, catcher, 100, seed=seed)["webhook_event_ids"] for seed in (5, 5, 6)]
    assert event_ids[0] == event_ids[1]
    assert len(set(event_ids[0])) == 100
    assert not set(event_ids[0]) & set(event_ids[2])
    first, second = catcher.bodies()[:100], catcher.bodies()[100:200]
    ordered = [sorted(json.dumps(body, sort_keys=True) for body in bodies) for bodies in (first, second)]
    assert ordered[0] == ordered[1]


def test_events_have_the_format_and_order_of_lines_webhooks(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    result = generate(sandbox, catcher, 300, batch_size=7, concurrency=1)
    info = sandbox.request("GET", "/v2/bot/info").json()
    bodies = catcher.bodies()
    assert {body["destination"] for body in bodies} == {info["userId"]}
    assert [len(body["events"]) for body in bodies] == [7] * 42 + [6]
    events = catcher.events()
    assert [event["webhookEventId"] for event in events] == result["webhook_event_ids"]
    assert all(len(event["webhookEventId"]) == 26 for event in events)
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert [event["webhookEventId"] for event in events] == sorted(result["webhook_event_ids"])
    assert {json.dumps(event["deliveryContext"]) for event in events} == {'{"isRedelivery": false}'}


def test_the_last_follow_event_of_a_user_agrees_with_the_users_state(
    sandbox: SandboxClient, catcher: WebhookCatcher
) -> None:
    generate(sandbox, catcher, 4000, batch_size=50, concurrency=1)
    following = set(sandbox.followers(2000))
    last: dict[str, str] = {}
    sequence: dict[str, list[str]] = defaultdict(list)
    for event in catcher.events():
        if event["type"] in ("follow", "unfollow"):
            line_id = event["source"]["userId"]
            last[line_id] = event["type"]
            sequence[line_id].append("unblocked" if event.get("follow", {}).get("isUnblocked") else event["type"])
    assert len(last) > 200
    assert {line_id for line_id, state in last.items() if state == "follow"} <= following
    assert not {line_id for line_id, state in last.items() if state == "unfollow"} & following
    assert "unfollow" in last.values()
    assert ["follow", "unfollow", "unblocked"] in sequence.values()


def test_an_unsent_message_was_sent_before(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    generate(sandbox, catcher, 3000, batch_size=50, concurrency=1)
    message_ids: set[str] = set()
    unsent = 0
    for event in catcher.events():
        if event["type"] == "message":
            assert event["message"]["id"] not in message_ids
            message_ids.add(event["message"]["id"])
        elif event["type"] == "unsend":
            assert event["unsend"]["messageId"] in message_ids
            unsent += 1
    assert unsent > 10


def test_duplicates_and_shuffling_lose_no_events(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    result = generate(sandbox, catcher, 400, duplicate=0.25, shuffle=True, batch_size=5, concurrency=1)
    events = catcher.events()
    counts = Counter(event["webhookEventId"] for event in events)
    assert set(counts) == set(result["webhook_event_ids"])
    assert set(counts.values()) == {1, 2}
    assert 60 < result["duplicates"] == len(events) - 400 < 140
    assert [event["timestamp"] for event in events] != sorted(event["timestamp"] for event in events)


def test_failed_requests_are_redelivered_and_marked(sandbox: SandboxClient) -> None:
    with WebhookCatcher(status_of=lambda number: 500 if number == 0 else 200) as catcher:
        result = generate(sandbox, catcher, 10, batch_size=5, redeliver_failures=True, concurrency=1)
    assert result["answers"] == {"200": 2, "500": 1}
    assert (result["redeliveries"], result["undelivered"]) == (1, [])
    first, redelivered = catcher.bodies()[0]["events"], catcher.bodies()[1]["events"]
    assert all(event["deliveryContext"]["isRedelivery"] for event in redelivered)
    without_context = [{**event, "deliveryContext": None} for event in first]
    assert without_context == [{**event, "deliveryContext": None} for event in redelivered]


def test_without_redelivery_failures_are_reported(sandbox: SandboxClient) -> None:
    with WebhookCatcher(status_of=lambda _: 503) as catcher:
        result = generate(sandbox, catcher, 6, batch_size=2)
    assert (result["answers"], result["requests"]) == ({"503": 3}, 3)
    assert result["undelivered"] == result["webhook_event_ids"]


def test_an_unreachable_receiver_is_reported(sandbox: SandboxClient) -> None:
    result = sandbox.post("webhooks", url="http://127.0.0.1:9/callback", events=[{"webhookEventId": "a"}])
    assert (result["answers"], result["undelivered"]) == ({"unreachable": 1}, ["a"])


def test_given_events_are_sent_unchanged(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    events = [{"type": "odd", "webhookEventId": "x", "number": 1.5, "text": "日本"}, {}]
    sandbox.post("webhooks", url=catcher.url, events=events, batch_size=2, destination="U" + "1" * 32)
    assert catcher.bodies() == [{"destination": "U" + "1" * 32, "events": events}]


def test_without_events_one_empty_request_is_sent(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    sandbox.post("webhooks", url=catcher.url)
    assert [body["events"] for body in catcher.bodies()] == [[]]


async def test_images_videos_audio_and_files_can_be_downloaded(sdk: Sdk, sandbox: SandboxClient) -> None:
    with WebhookCatcher() as catcher:
        generate(sandbox, catcher, 1500, batch_size=50, types=["message"])
    by_type: dict[str, list[str]] = defaultdict(list)
    for event in catcher.events():
        by_type[event["message"]["type"]].append(event["message"]["id"])

    def content(message_id: str, part: str = "") -> Any:
        return sandbox.request("GET", f"/v2/bot/message/{message_id}/content{part}")

    image = by_type["image"][0]
    assert bytes(await sdk.messaging_blob.get_message_content(image)).startswith(b"\x89PNG")
    assert bytes(await sdk.messaging_blob.get_message_content_preview(image)).startswith(b"\x89PNG")
    assert content(image).headers["content-type"] == "image/png"
    assert content(image, "/transcoding").status_code == 400
    assert content(by_type["file"][0]).status_code == 200
    assert content(by_type["file"][0], "/preview").status_code == 400
    assert content(by_type["text"][0]).status_code == 404
    assert content("123").json() == {"message": "not found"}
    states = {
        message_id: (await sdk.messaging_blob.get_message_content_transcoding_by_message_id(message_id)).status
        for message_id in by_type["video"] + by_type["audio"]
    }
    assert set(states.values()) == {"succeeded", "processing", "failed"}
    expected = {"succeeded": 200, "processing": 202, "failed": 404}
    assert {content(message_id).status_code - expected[state] for message_id, state in states.items()} == {0}
    sandbox.advance(30)
    prepared = next(message_id for message_id, state in states.items() if state == "processing")
    assert content(prepared).status_code == 200


def test_the_content_of_an_unsent_message_gets_status_410(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    generate(sandbox, catcher, 400, batch_size=50, types=["message"])
    message_id = next(event["message"]["id"] for event in catcher.events() if event["message"]["type"] == "image")
    unsend = {"type": "unsend", "unsend": {"messageId": message_id}}
    sandbox.post("webhooks", url=catcher.url, events=[unsend])
    response = sandbox.request("GET", f"/v2/bot/message/{message_id}/content")
    assert (response.status_code, response.json()) == (410, {"message": "The content is gone"})


def test_a_message_in_a_given_event_has_content(sandbox: SandboxClient, catcher: WebhookCatcher) -> None:
    event = {"type": "message", "message": {"id": "my-own", "type": "image"}}
    sandbox.post("webhooks", url=catcher.url, events=[event])
    assert sandbox.request("GET", "/v2/bot/message/my-own/content").status_code == 200


async def test_a_reply_token_can_be_used_once_within_a_minute(sdk: Sdk, sandbox: SandboxClient) -> None:
    user = sandbox.followers(1)[0]
    group = sandbox.get("chats")["group_ids"][0]
    events = [
        {"type": "follow", "replyToken": "one", "source": {"type": "user", "userId": user}},
        {"type": "join", "replyToken": "two", "source": {"type": "group", "groupId": group}},
        {"type": "follow", "replyToken": "late", "source": {"type": "user", "userId": user}},
    ]
    with WebhookCatcher() as catcher:
        sandbox.post("webhooks", url=catcher.url, events=events)
        response = await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="one", messages=[TextMessage(text="welcome")])
        )
        assert response.sent_messages[0].id
        await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="two", messages=[TextMessage(text="hello all")])
        )
        sandbox.advance(61)
        for token in ("one", "late", "never"):
            with pytest.raises(ApiException) as error:
                await sdk.messaging.reply_message(
                    ReplyMessageRequest(replyToken=token, messages=[TextMessage(text="again")])
                )
            assert json.loads(error.value.body) == {"message": "Invalid reply token"}
        sandbox.post("webhooks", url=catcher.url, events=events)
        await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="late", messages=[TextMessage(text="after redelivery")])
        )
        used = sandbox.request(
            "POST",
            "/v2/bot/message/reply",
            json={"replyToken": "one", "messages": [{"type": "text", "text": "x"}]},
        )
        assert used.status_code == 400, "a used token stays invalid after a redelivery"
    delivered = [(delivery["line_id"], delivery["messages"][0]["text"]) for delivery in sandbox.deliveries()]
    assert delivered == [(user, "welcome"), (group, "hello all"), (user, "after redelivery")]
    assert sandbox.get("summary")["quota_used"] == 0, "replies do not count"


async def test_messages_are_marked_as_read_with_their_token(sdk: Sdk, sandbox: SandboxClient) -> None:
    with WebhookCatcher() as catcher:
        generate(sandbox, catcher, 1, types=["message"])
    token = catcher.events()[0]["message"]["markAsReadToken"]
    await sdk.messaging.mark_messages_as_read_by_token(MarkMessagesAsReadByTokenRequest(markAsReadToken=token))
    wrong = MarkMessagesAsReadByTokenRequest(markAsReadToken=token[:-1] + ("0" if token[-1] != "0" else "1"))
    with pytest.raises(ApiException) as error:
        await sdk.messaging.mark_messages_as_read_by_token(wrong)
    assert error.value.status == 400
    response = sandbox.request("POST", "/v2/bot/message/markAsRead", json={"chat": {"userId": "U" + "0" * 32}})
    assert response.status_code == 403


async def test_a_loading_animation_needs_a_user_id(sdk: Sdk, sandbox: SandboxClient) -> None:
    user = sandbox.followers(1)[0]
    await sdk.messaging.show_loading_animation(ShowLoadingAnimationRequest(chatId=user, loadingSeconds=5))
    response = sandbox.request("POST", "/v2/bot/chat/loading/start", json={"chatId": user, "loadingSeconds": 3})
    assert {(detail["property"], detail["message"]) for detail in response.json()["details"]} == {
        ("loadingSeconds", "Must be between 5 and 60"),
        ("loadingSeconds", "must be a multiple of five"),
    }
    group = sandbox.get("chats")["group_ids"][0]
    response = sandbox.request("POST", "/v2/bot/chat/loading/start", json={"chatId": group})
    assert response.json()["details"][0]["property"] == "chatId"


async def test_the_webhook_endpoint_can_be_set_and_tested(sdk: Sdk, sandbox: SandboxClient) -> None:
    with pytest.raises(ApiException) as error:
        await sdk.messaging.get_webhook_endpoint()
    assert error.value.status == 404
    with WebhookCatcher(status_of=lambda number: 500 if number else 200) as catcher:
        await sdk.messaging.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=catcher.url))
        endpoint = await sdk.messaging.get_webhook_endpoint()
        assert (endpoint.endpoint, endpoint.active) == (catcher.url, True)
        success = await sdk.messaging.test_webhook_endpoint()
        assert (success.success, success.status_code, success.reason) == (True, 200, "OK")
        failure = await sdk.messaging.test_webhook_endpoint()
        assert (failure.success, failure.status_code, failure.reason) == (False, 500, "ERROR_STATUS_CODE")
        headers, body = catcher.requests[0]
        assert WebhookParser(SECRET).parse(body, headers["x-line-signature"]) == []
    unreachable = await sdk.messaging.test_webhook_endpoint(EndpointTest(endpoint=catcher.url))
    assert (unreachable.success, unreachable.status_code, unreachable.reason) == (False, 0, "COULD_NOT_CONNECT")


def test_without_a_url_webhooks_go_to_the_endpoint_of_the_channel(
    sandbox: SandboxClient, catcher: WebhookCatcher
) -> None:
    sandbox.request("PUT", "/v2/bot/channel/webhook/endpoint", json={"endpoint": catcher.url})
    sandbox.post("webhooks", generate={"count": 3})
    assert len(catcher.events()) == 3


@pytest.mark.parametrize("endpoint", ["http://example.com/x", "ftp://example.com/", "https://", "x", ""])
def test_an_endpoint_on_another_machine_needs_https(sandbox: SandboxClient, endpoint: str) -> None:
    response = sandbox.request("PUT", "/v2/bot/channel/webhook/endpoint", json={"endpoint": endpoint})
    assert (response.status_code, response.json()) == (400, {"message": "Invalid webhook endpoint URL"})
