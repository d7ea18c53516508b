"""Conversion of stored webhook events to records that fit the schema and that every target can store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from singer_sdk.contrib.msgspec import serialize_jsonl

from line_core.store.inbox import InboxEvent
from line_core.webhook_events.parsing import parse_events
from tap_line.event_records.event_record import event_record, follow_record
from tap_line.event_records.payload import read_payload
from tap_line.streams.inbox.events import Events, Follows

RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
USER = "U" + "1" * 32
SOURCE = {"type": "user", "userId": USER}


def stored(event: dict[str, Any]) -> InboxEvent:
    """Return an event as the receiver stores it in the inbox."""
    common = {"timestamp": 1767225600123, "webhookEventId": "01H", "mode": "active", "source": SOURCE}
    body = json.dumps({"destination": "Ubot", "events": [{**common, **event}]}).encode()
    (received,) = parse_events("main", body, RECEIVED)
    columns = {name: getattr(received, name) for name in InboxEvent.__struct_fields__ if hasattr(received, name)}
    return InboxEvent(**{"position": 7, "message_state": None, "deliveries": 1, **columns})


@pytest.mark.parametrize(
    ("event", "columns"),
    [
        (
            {"type": "message", "message": {"id": "1", "type": "text", "text": "hi", "quotedMessageId": "0"}},
            {"message_id": "1", "message_type": "text", "message_text": "hi", "quoted_message_id": "0"},
        ),
        (
            {"type": "message", "message": {"id": "1", "type": "location", "latitude": 35.6, "longitude": 139}},
            {"message_type": "location", "latitude": 35.6, "longitude": 139},
        ),
        (
            {"type": "message", "message": {"id": "1", "type": "file", "fileName": "a.pdf", "fileSize": 12}},
            {"file_name": "a.pdf", "file_size": 12},
        ),
        (
            {"type": "message", "message": {"id": "1", "type": "sticker", "packageId": "2", "stickerId": "3"}},
            {"sticker_package_id": "2", "sticker_id": "3"},
        ),
        ({"type": "unsend", "unsend": {"messageId": "1"}}, {"message_id": "1"}),
        ({"type": "follow", "follow": {"isUnblocked": True}}, {"is_unblocked": True}),
        ({"type": "postback", "postback": {"data": "a=1"}}, {"postback_data": "a=1"}),
        (
            {"type": "postback", "postback": {"data": "", "params": {"date": "2026-01-01"}}},
            {"postback_data": "", "postback_params": {"date": "2026-01-01"}},
        ),
        ({"type": "accountLink", "link": {"result": "ok", "nonce": "n"}}, {"link_result": "ok", "link_nonce": "n"}),
        ({"type": "beacon", "beacon": {"hwid": "h", "type": "enter"}}, {"beacon_hwid": "h", "beacon_type": "enter"}),
        ({"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "t"}}, {"video_tracking_id": "t"}),
        (
            {"type": "membership", "membership": {"type": "joined", "membershipId": 3}},
            {"membership_type": "joined", "membership_id": 3},
        ),
        (
            {"type": "memberJoined", "joined": {"members": [{"type": "user", "userId": USER}, {"type": "user"}]}},
            {"member_line_ids": [USER]},
        ),
        ({"type": "join", "source": {"type": "group", "groupId": "C1"}}, {"group_id": "C1", "line_id": None}),
        ({"type": "leave", "source": {"type": "room", "roomId": "R1"}}, {"room_id": "R1"}),
        ({"type": "message", "deliveryContext": {"isRedelivery": True}}, {"is_redelivery": True}),
        ({"type": "somethingNew", "new": {"thing": 1}}, {"type": "somethingNew"}),
    ],
)
def test_common_event_types_have_columns_and_a_complete_payload(event: dict[str, Any], columns: dict[str, Any]) -> None:
    record = event_record(stored(event))
    assert {name: record[name] for name in columns} == columns
    assert record["payload"].items() >= event.items()
    assert record["occurred_at"] == "2026-01-01T00:00:00.123000+00:00"


def test_a_follow_record_has_the_columns_of_the_target_s_role() -> None:
    record = follow_record(stored({"type": "follow", "follow": {"isUnblocked": False}}))
    assert record == {
        "webhook_event_id": "01H",
        "channel": "main",
        "position": 7,
        "type": "follow",
        "occurred_at": "2026-01-01T00:00:00.123000+00:00",
        "received_at": "2026-01-01T00:00:00+00:00",
        "line_id": USER,
        "is_unblocked": False,
    }


def test_a_follow_record_has_exactly_the_columns_of_the_schema() -> None:
    assert set(follow_record(stored({"type": "follow", "follow": {"isUnblocked": True}}))) == set(
        Follows.schema["properties"]
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
sections = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "type",
            "text",
            "data",
            "params",
            "isUnblocked",
            "result",
            "nonce",
            "hwid",
            "members",
            "latitude",
            "duration",
            "fileSize",
            "membershipId",
            "messageId",
            "isRedelivery",
        ]
    ),
    values,
)
types = [
    "message",
    "messageEdited",
    "unsend",
    "follow",
    "postback",
    "accountLink",
    "beacon",
    "membership",
    "memberJoined",
    "memberLeft",
    "videoPlayComplete",
]
keys = [
    "message",
    "unsend",
    "follow",
    "postback",
    "link",
    "beacon",
    "membership",
    "joined",
    "left",
    "videoPlayComplete",
    "deliveryContext",
]


@given(st.sampled_from(types), st.dictionaries(st.sampled_from(keys), sections | values))
def test_the_record_of_any_event_fits_the_schema_and_can_be_serialized(kind: str, rest: dict[str, Any]) -> None:
    event = stored({"type": kind, **rest})
    for stream, record in ((Events, event_record(event)), (Follows, follow_record(event))):
        Draft202012Validator(stream.schema).validate(record)
        assert set(record) <= set(stream.schema["properties"])
        assert serialize_jsonl(record)


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        (r'{"text": "\ud83d half"}', {"text": "\ufffd half"}),
        (r'{"\udc00": ["\ud83d\ude00"]}', {"\ufffd": ["😀"]}),
        ('{"big": 123456789012345678901234567890}', {"big": 123456789012345678901234567890}),
        ('{"endless": ' + "9" * 5000 + "}", {"endless": float("inf")}),
        ('{"float": 1e999}', {"float": float("inf")}),
        (r'{"nul": "a\u0000b"}', {"nul": "a\x00b"}),
    ],
)
def test_json_that_targets_cannot_store_is_converted(text: str, payload: dict[str, Any]) -> None:
    assert read_payload(text) == payload
    assert serialize_jsonl(read_payload(text))
