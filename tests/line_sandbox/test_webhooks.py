"""Webhooks: what is sent can be read by LINE's official parser, and tells histories that agree with the sandbox."""

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
    TestWebhookEndpointRequest as EndpointTest,  # its own name looks like a test's
)
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.models.events import UnknownEvent

from tests.support.webhook_catcher import WebhookCatcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linebot.v3.webhooks import Event

    from tests.support.sandbox_clients import Control, Sdk

SECRET = "sandbox-secret"
EVERY_TYPE = {
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


def generate(control: Control, catcher: WebhookCatcher, count: int, **more: Any) -> dict[str, Any]:
    generated = {"count": count, "seed": more.pop("seed", 1)}
    if types := more.pop("types", None):
        generated["types"] = types
    told: dict[str, Any] = control.post("webhooks", url=catcher.url, generate=generated, **more)
    return told


def parsed(catcher: WebhookCatcher) -> list[Event | UnknownEvent]:
    parser = WebhookParser(SECRET)
    return [event for headers, body in catcher.requests for event in parser.parse(body, headers["x-line-signature"])]


def test_every_type_of_event_is_read_by_the_official_parser(control: Control, catcher: WebhookCatcher) -> None:
    types = sorted(EVERY_TYPE)
    generate(control, catcher, 2000, types=types, batch_size=20)
    events = parsed(catcher)
    assert {event.type for event in events} == EVERY_TYPE
    assert not [event for event in events if isinstance(event, UnknownEvent)]
    assert len(events) == 2000


def test_a_usual_account_sees_edits_and_every_kind_of_message(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 3000, batch_size=50)
    events = parsed(catcher)
    kinds = {event.message.type for event in events if event.type == "message"}
    assert kinds == {"text", "image", "video", "audio", "file", "location", "sticker"}
    counts = Counter(event["type"] for event in catcher.events())
    assert counts.most_common(1)[0][0] == "message"
    assert counts["messageEdited"] > 0
    assert {event["source"]["type"] for event in catcher.events()} == {"user", "group", "room"}


def test_types_that_line_does_not_have_are_sent_too(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 50, types=["hologram", "follow"])
    assert {event["type"] for event in catcher.events()} == {"hologram", "follow"}
    assert any(isinstance(event, UnknownEvent) for event in parsed(catcher))


def test_the_signature_is_of_the_secret(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 1, secret="another")
    headers, body = catcher.requests[0]
    WebhookParser("another").parse(body, headers["x-line-signature"])
    with pytest.raises(InvalidSignatureError):
        WebhookParser(SECRET).parse(body, headers["x-line-signature"])


def test_the_same_seed_gives_the_same_events(control: Control, catcher: WebhookCatcher) -> None:
    told = [generate(control, catcher, 100, seed=seed)["webhook_event_ids"] for seed in (5, 5, 6)]
    assert told[0] == told[1]
    assert len(set(told[0])) == 100
    assert not set(told[0]) & set(told[2])
    first, second = catcher.bodies()[:100], catcher.bodies()[100:200]
    ordered = [sorted(json.dumps(body, sort_keys=True) for body in bodies) for bodies in (first, second)]
    assert ordered[0] == ordered[1]


def test_events_are_as_line_sends_them(control: Control, catcher: WebhookCatcher) -> None:
    told = generate(control, catcher, 300, batch_size=7, concurrency=1)
    info = control.line("GET", "/v2/bot/info").json()
    bodies = catcher.bodies()
    assert {body["destination"] for body in bodies} == {info["userId"]}
    assert [len(body["events"]) for body in bodies] == [7] * 42 + [6]
    events = catcher.events()
    assert [event["webhookEventId"] for event in events] == told["webhook_event_ids"]
    assert all(len(event["webhookEventId"]) == 26 for event in events)
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert [event["webhookEventId"] for event in events] == sorted(told["webhook_event_ids"])
    assert {json.dumps(event["deliveryContext"]) for event in events} == {'{"isRedelivery": false}'}


def test_histories_end_as_the_sandbox_is(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 4000, batch_size=50, concurrency=1)
    following = set(control.followers(2000))
    last: dict[str, str] = {}
    order: dict[str, list[str]] = defaultdict(list)
    for event in catcher.events():
        if event["type"] in ("follow", "unfollow"):
            line_id = event["source"]["userId"]
            last[line_id] = event["type"]
            order[line_id].append("again" if event.get("follow", {}).get("isUnblocked") else event["type"])
    assert len(last) > 200
    assert {line_id for line_id, state in last.items() if state == "follow"} <= following
    assert not {line_id for line_id, state in last.items() if state == "unfollow"} & following
    assert "unfollow" in last.values()
    assert ["follow", "unfollow", "again"] in order.values()


def test_what_is_taken_back_was_written_before(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 3000, batch_size=50, concurrency=1)
    written: set[str] = set()
    taken_back = 0
    for event in catcher.events():
        if event["type"] == "message":
            assert event["message"]["id"] not in written
            written.add(event["message"]["id"])
        elif event["type"] == "unsend":
            assert event["unsend"]["messageId"] in written
            taken_back += 1
    assert taken_back > 10


def test_duplicates_and_another_order_lose_nothing(control: Control, catcher: WebhookCatcher) -> None:
    told = generate(control, catcher, 400, duplicate=0.25, shuffle=True, batch_size=5, concurrency=1)
    events = catcher.events()
    counts = Counter(event["webhookEventId"] for event in events)
    assert set(counts) == set(told["webhook_event_ids"])
    assert set(counts.values()) == {1, 2}
    assert 60 < told["duplicates"] == len(events) - 400 < 140
    assert [event["timestamp"] for event in events] != sorted(event["timestamp"] for event in events)


def test_failures_are_redelivered_and_say_so(control: Control) -> None:
    with WebhookCatcher(answer=lambda place: 500 if place == 0 else 200) as catcher:
        told = generate(control, catcher, 10, batch_size=5, redeliver_failures=True, concurrency=1)
    assert told["answers"] == {"200": 2, "500": 1}
    assert (told["redeliveries"], told["undelivered"]) == (1, [])
    first, again = catcher.bodies()[0]["events"], catcher.bodies()[1]["events"]
    assert all(event["deliveryContext"]["isRedelivery"] for event in again)
    strip = [{**event, "deliveryContext": None} for event in first]
    assert strip == [{**event, "deliveryContext": None} for event in again]


def test_without_redelivery_failures_are_told(control: Control) -> None:
    with WebhookCatcher(answer=lambda _: 503) as catcher:
        told = generate(control, catcher, 6, batch_size=2)
    assert (told["answers"], told["requests"]) == ({"503": 3}, 3)
    assert told["undelivered"] == told["webhook_event_ids"]


def test_a_receiver_that_is_not_there_is_told(control: Control) -> None:
    told = control.post("webhooks", url="http://127.0.0.1:9/callback", events=[{"webhookEventId": "a"}])
    assert (told["answers"], told["undelivered"]) == ({"unreachable": 1}, ["a"])


def test_events_of_ones_own_are_sent_as_they_are(control: Control, catcher: WebhookCatcher) -> None:
    events = [{"type": "odd", "webhookEventId": "x", "number": 1.5, "text": "日本"}, {}]
    control.post("webhooks", url=catcher.url, events=events, batch_size=2, destination="U" + "1" * 32)
    assert catcher.bodies() == [{"destination": "U" + "1" * 32, "events": events}]


def test_no_events_at_all_are_lines_verification(control: Control, catcher: WebhookCatcher) -> None:
    control.post("webhooks", url=catcher.url)
    assert [body["events"] for body in catcher.bodies()] == [[]]


async def test_pictures_films_and_files_can_be_fetched(sdk: Sdk, control: Control) -> None:
    with WebhookCatcher() as catcher:
        generate(control, catcher, 1500, batch_size=50, types=["message"])
    by_type: dict[str, list[str]] = defaultdict(list)
    for event in catcher.events():
        by_type[event["message"]["type"]].append(event["message"]["id"])

    def content(message_id: str, part: str = "") -> Any:
        return control.line("GET", f"/v2/bot/message/{message_id}/content{part}")

    picture = by_type["image"][0]
    assert bytes(await sdk.messaging_blob.get_message_content(picture)).startswith(b"\x89PNG")
    assert bytes(await sdk.messaging_blob.get_message_content_preview(picture)).startswith(b"\x89PNG")
    assert content(picture).headers["content-type"] == "image/png"
    assert content(picture, "/transcoding").status_code == 400
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
    control.advance(30)
    prepared = next(message_id for message_id, state in states.items() if state == "processing")
    assert content(prepared).status_code == 200


def test_the_content_of_a_message_that_was_taken_back_is_gone(control: Control, catcher: WebhookCatcher) -> None:
    generate(control, catcher, 400, batch_size=50, types=["message"])
    message_id = next(event["message"]["id"] for event in catcher.events() if event["message"]["type"] == "image")
    unsend = {"type": "unsend", "unsend": {"messageId": message_id}}
    control.post("webhooks", url=catcher.url, events=[unsend])
    answer = control.line("GET", f"/v2/bot/message/{message_id}/content")
    assert (answer.status_code, answer.json()) == (410, {"message": "The content is gone"})


def test_a_message_of_ones_own_making_has_its_content(control: Control, catcher: WebhookCatcher) -> None:
    event = {"type": "message", "message": {"id": "my-own", "type": "image"}}
    control.post("webhooks", url=catcher.url, events=[event])
    assert control.line("GET", "/v2/bot/message/my-own/content").status_code == 200


async def test_an_event_is_replied_to_once_within_a_minute(sdk: Sdk, control: Control) -> None:
    person = control.followers(1)[0]
    group = control.get("chats")["group_ids"][0]
    events = [
        {"type": "follow", "replyToken": "one", "source": {"type": "user", "userId": person}},
        {"type": "join", "replyToken": "two", "source": {"type": "group", "groupId": group}},
        {"type": "follow", "replyToken": "late", "source": {"type": "user", "userId": person}},
    ]
    with WebhookCatcher() as catcher:
        control.post("webhooks", url=catcher.url, events=events)
        answer = await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="one", messages=[TextMessage(text="welcome")])
        )
        assert answer.sent_messages[0].id
        await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="two", messages=[TextMessage(text="hello all")])
        )
        control.advance(61)
        for token in ("one", "late", "never"):
            with pytest.raises(ApiException) as error:
                await sdk.messaging.reply_message(
                    ReplyMessageRequest(replyToken=token, messages=[TextMessage(text="again")])
                )
            assert json.loads(error.value.body) == {"message": "Invalid reply token"}
        control.post("webhooks", url=catcher.url, events=events)
        await sdk.messaging.reply_message(
            ReplyMessageRequest(replyToken="late", messages=[TextMessage(text="after redelivery")])
        )
        used = control.line(
            "POST",
            "/v2/bot/message/reply",
            json={"replyToken": "one", "messages": [{"type": "text", "text": "x"}]},
        )
        assert used.status_code == 400, "a used token is not good again after a redelivery"
    told = [(delivery["line_id"], delivery["messages"][0]["text"]) for delivery in control.deliveries()]
    assert told == [(person, "welcome"), (group, "hello all"), (person, "after redelivery")]
    assert control.get("summary")["quota_used"] == 0, "replies are free"


async def test_messages_are_marked_as_read_with_their_token(sdk: Sdk, control: Control) -> None:
    with WebhookCatcher() as catcher:
        generate(control, catcher, 1, types=["message"])
    token = catcher.events()[0]["message"]["markAsReadToken"]
    await sdk.messaging.mark_messages_as_read_by_token(MarkMessagesAsReadByTokenRequest(markAsReadToken=token))
    wrong = MarkMessagesAsReadByTokenRequest(markAsReadToken=token[:-1] + ("0" if token[-1] != "0" else "1"))
    with pytest.raises(ApiException) as error:
        await sdk.messaging.mark_messages_as_read_by_token(wrong)
    assert error.value.status == 400
    partners = control.line("POST", "/v2/bot/message/markAsRead", json={"chat": {"userId": "U" + "0" * 32}})
    assert partners.status_code == 403


async def test_a_loading_animation_is_for_one_person(sdk: Sdk, control: Control) -> None:
    person = control.followers(1)[0]
    await sdk.messaging.show_loading_animation(ShowLoadingAnimationRequest(chatId=person, loadingSeconds=5))
    answer = control.line("POST", "/v2/bot/chat/loading/start", json={"chatId": person, "loadingSeconds": 3})
    assert {(detail["property"], detail["message"]) for detail in answer.json()["details"]} == {
        ("loadingSeconds", "Must be between 5 and 60"),
        ("loadingSeconds", "must be a multiple of 5"),
    }
    group = control.get("chats")["group_ids"][0]
    answer = control.line("POST", "/v2/bot/chat/loading/start", json={"chatId": group})
    assert answer.json()["details"][0]["property"] == "chatId"


async def test_the_webhook_endpoint_is_set_and_tested(sdk: Sdk, control: Control) -> None:
    with pytest.raises(ApiException) as error:
        await sdk.messaging.get_webhook_endpoint()
    assert error.value.status == 404
    with WebhookCatcher(answer=lambda place: 500 if place else 200) as catcher:
        await sdk.messaging.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=catcher.url))
        endpoint = await sdk.messaging.get_webhook_endpoint()
        assert (endpoint.endpoint, endpoint.active) == (catcher.url, True)
        good = await sdk.messaging.test_webhook_endpoint()
        assert (good.success, good.status_code, good.reason) == (True, 200, "OK")
        bad = await sdk.messaging.test_webhook_endpoint()
        assert (bad.success, bad.status_code, bad.reason) == (False, 500, "ERROR_STATUS_CODE")
        headers, body = catcher.requests[0]
        assert WebhookParser(SECRET).parse(body, headers["x-line-signature"]) == []
    gone = await sdk.messaging.test_webhook_endpoint(EndpointTest(endpoint=catcher.url))
    assert (gone.success, gone.status_code, gone.reason) == (False, 0, "COULD_NOT_CONNECT")


def test_webhooks_go_to_the_set_endpoint_where_no_url_is_given(control: Control, catcher: WebhookCatcher) -> None:
    control.line("PUT", "/v2/bot/channel/webhook/endpoint", json={"endpoint": catcher.url})
    control.post("webhooks", generate={"count": 3})
    assert len(catcher.events()) == 3


@pytest.mark.parametrize("endpoint", ["http://example.com/x", "ftp://example.com/", "https://", "x", ""])
def test_an_endpoint_is_reached_by_https(control: Control, endpoint: str) -> None:
    answer = control.line("PUT", "/v2/bot/channel/webhook/endpoint", json={"endpoint": endpoint})
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid webhook endpoint URL"})
