"""Events are parsed from a body without changing a byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from linebot.v3.webhook import WebhookParser

from line_core.webhook_events import parsing as module
from line_core.webhook_events.parsing import MalformedWebhookError, ReceivedEvent, parse_events
from tests.support.webhook_events import (
    BOT,
    DOCUMENTED,
    GROUP_ID,
    SECRET,
    body_of,
    event,
    signature,
    text,
    unsend,
    unusual_bodies,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, 123_456, UTC)


def parse(body: bytes) -> list[ReceivedEvent]:
    return parse_events("main", body, NOW)


def test_columns_are_the_fields_of_the_event() -> None:
    (received,) = parse(body_of(event(1, "join", source={"type": "group", "groupId": GROUP_ID, "userId": BOT})))
    assert received.webhook_event_id == "01H810YECX0000000000000001"
    assert (received.channel, received.type, received.mode, received.destination) == ("main", "join", "active", BOT)
    assert (received.source_type, received.chat_id, received.line_id) == ("group", GROUP_ID, BOT)
    assert received.occurred_at == datetime(2023, 11, 14, 22, 13, 20, 1000, UTC)
    assert received.received_at == datetime(2026, 1, 1, 12, 0, 0, 123_000, UTC)


def test_a_message_and_its_unsend_have_the_same_message_id() -> None:
    message, unsent = parse(body_of(text(1, "77"), unsend(2, "77")))
    assert (message.message_id, message.message_state) == ("77", "current")
    assert (unsent.message_id, unsent.message_state) == ("77", None)


@pytest.mark.parametrize(
    "payload",
    [
        '{"type":"x","n":123456789012345678901234567890.10000000000000000001}',
        '{"type":"x","n":' + "9" * 5000 + "}",
        '{ "type" : "x",\n\t"escapes": "\\u3042\\n\\/\\ud83d\\ude00", "emoji": "😀" }',
        '{"type":"x","lone surrogate":"\\ud83d"}',
        '{"type":"x","nul":"\\u0000"}',
        '{"type":"x","a":1,"a":2}',
        '{"type":"x","e":1E+2,"z":-0.0}',
    ],
)
def test_the_payload_is_the_unchanged_text(payload: str) -> None:
    body = f'{{ "events" : [ {payload} , {payload} ], "destination": "{BOT}", "new": [{{}}] }}'.encode()
    assert [received.payload for received in parse(body)] == [payload, payload]


def test_an_event_without_a_valid_id_gets_a_digest_that_its_redelivery_shares() -> None:
    sample: dict[str, Any] = {"type": "message", "timestamp": 5, "n": 10**30, "message": {"id": "1", "text": "\ud83d"}}
    again = dict(reversed(sample.items())) | {"deliveryContext": {"isRedelivery": True}, "webhookEventId": "x" * 65}
    first, second, other = (
        parse(body_of(one))[0] for one in (sample, again | {"webhookEventId": None}, sample | {"n": 1})
    )
    digest = first.webhook_event_id
    assert len(digest) == 64
    assert parse(body_of(sample, event(1, nul="\x00")))[0].webhook_event_id == digest
    assert second.webhook_event_id != digest  # the id is not valid, but it is part of the content
    assert other.webhook_event_id != digest


def test_an_event_without_a_valid_field_is_kept() -> None:
    (received,) = parse(b'{"events":[{"type":7,"timestamp":"late","source":null,"message":[],"mode":true}]}')
    assert (received.type, received.mode, received.line_id, received.message_id) == ("unknown", None, None, None)
    assert received.occurred_at == received.received_at
    assert received.payload == '{"type":7,"timestamp":"late","source":null,"message":[],"mode":true}'


@pytest.mark.parametrize("timestamp", [-1, 2**63, 253_402_300_800_000, 1.5, True, None, "1700000000000"], ids=str)
def test_an_invalid_timestamp_becomes_the_time_of_receipt(timestamp: object) -> None:
    (received,) = parse(body_of(event(1, timestamp=timestamp)))
    assert received.occurred_at == received.received_at


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"events":{}}',
        b'{"events":null}',
        b'{"events":[1]}',
        b'{"events":[{}]} trailing',
        b'{"events":[{"a":NaN}]}',
        b'{"events":[{"a":01}]}',
        b'{"events":[{"a":"\x01"}]}',
        b'{"events":[{"a":"\xff"}]}',
        b'{"events":[],"\xff":1}',
        b'{"events":[],"unknown":"\xff"}',
        b'{"events":[{}],}',
        b'{"events":[{}],1:2}',
        b'\xef\xbb\xbf{"events":[]}',
        '{"events":[]}'.encode("utf-16"),
        b'{"events":[' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
    ],
)
def test_a_body_that_is_not_a_webhook_request_is_an_error(body: bytes) -> None:
    with pytest.raises(MalformedWebhookError):
        parse(body)


def test_the_error_message_contains_nothing_of_the_body() -> None:
    with pytest.raises(MalformedWebhookError) as raised:
        parse(b'{"events":[{"text":"my secret words"')
    assert "secret" not in str(raised.value)


@given(unusual_bodies())
def test_both_parsers_agree(body: bytes) -> None:
    tolerant = module._parse_tolerant(body.decode())
    try:
        fast = module._parse_fast(body)
    except Exception:  # noqa: BLE001 - then the tolerant parser is used
        return
    assert fast == tolerant


@given(unusual_bodies())
def test_every_event_is_kept_and_every_column_is_storable(body: bytes) -> None:
    received = parse(body)
    assert [json.loads(one.payload) for one in received] == json.loads(body)["events"]
    for one in received:
        for name in ReceivedEvent.__struct_fields__:
            value = getattr(one, name)
            assert not isinstance(value, str) or "\x00" not in value.encode().decode()


@pytest.mark.parametrize("sample", DOCUMENTED, ids=lambda sample: sample["type"])
def test_documented_events_have_the_fields_that_the_official_sdk_reads(sample: dict[str, Any]) -> None:
    body = body_of(sample)
    (ours,) = parse(body)
    (theirs,) = WebhookParser(SECRET).parse(body.decode(), signature(body))
    assert ours.type == theirs.type
    assert ours.webhook_event_id == theirs.webhook_event_id
    assert ours.mode == theirs.mode
    assert int(ours.occurred_at.timestamp() * 1000) == theirs.timestamp
    source = theirs.source
    assert ours.source_type == source.type
    assert ours.line_id == getattr(source, "user_id", None)
    assert ours.chat_id == (getattr(source, "group_id", None) or getattr(source, "room_id", None))
