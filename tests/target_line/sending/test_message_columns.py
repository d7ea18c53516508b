"""Columns of `messages` records as SQL sources and CRMs write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_line.identity.identifiers import IdentifierReader
from target_line.identity.placeholders import Placeholders
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from target_line.record_parser import RecordParser
from target_line.sending.read.message import MESSAGE_COLUMNS, parse_message
from target_line.sending.read.recipients import AllFollowers, ChatRecipient, NarrowcastRecipients, PersonRecipient
from target_line.sending.staging import MessageToStage
from tests.support.people import evidence_parser, line_id

if TYPE_CHECKING:
    from target_line.sending.read.message import Message

PARSER = RecordParser(evidence_parser(identifiers=IdentifierReader("default", Placeholders())))
GROUP = "C" + "a" * 32


def staged(record: dict[str, Any]) -> MessageToStage:
    parsed = PARSER.parse(Role.MESSAGES, record)
    assert isinstance(parsed, MessageToStage)
    return parsed


def message(**columns: Any) -> Message:
    return staged({"message_id": "m1", "line_id": line_id(1), "text": "x", **columns}).message


@pytest.mark.parametrize(
    ("value", "disabled"),
    [
        *((value, True) for value in (True, 1, 1.0, "1", "t", "TRUE", " yes ", "Y", "on")),
        *((value, False) for value in (False, 0, 0.0, "0", "f", "False", "no", "N", "off", "", "  ", None)),
    ],
)
def test_booleans_of_databases_without_booleans(value: object, disabled: bool) -> None:
    assert message(notification_disabled=value).notification_disabled is disabled


@pytest.mark.parametrize(
    ("value", "campaign"), [(202611, "202611"), (202611.0, "202611"), (" may ", "may"), ("", None)]
)
def test_a_campaign_can_be_a_whole_number(value: object, campaign: str | None) -> None:
    assert message(campaign=value).campaign == campaign


@pytest.mark.parametrize(
    ("columns", "recipient"),
    [
        ({"line_id": f"{line_id(1)}   "}, line_id(1)),
        ({"line_id": f"{GROUP}  "}, GROUP),
        ({"line_id": None, "group_id": f" {GROUP}"}, GROUP),
        ({"line_id": "   ", "id": " 42 "}, "42"),
        ({"line_id": None, "id": 42.0}, "42"),
        ({"line_id": None, "email": "<Aoi@Example.com>"}, "aoi@example.com"),
        ({"line_id": "null", "id": "c-1"}, "c-1"),
        ({"email": "n/a", "id": 0}, line_id(1)),
        ({"recipient": {}}, line_id(1)),
        ({"recipient": "[]", "room_id": " "}, line_id(1)),
    ],
)
def test_padded_blank_and_placeholder_recipients(columns: dict[str, Any], recipient: str) -> None:
    found = message(**columns).recipient
    assert isinstance(found, PersonRecipient | ChatRecipient)
    assert recipient == (found.identifier.value if isinstance(found, PersonRecipient) else found.chat_id)


def test_the_ledger_gets_the_known_names_of_columns_and_no_placeholders() -> None:
    record = {"MESSAGE_ID": 7, "Line_Id": line_id(1), "EMAIL": "null@null.com", "TEXT": "x", "OTHER": 1}
    item = staged(record)
    assert item.record == {"message_id": 7, "line_id": line_id(1), "text": "x", "OTHER": 1}
    assert parse_message(item.record, "default") == item.message


def test_the_recipient_column_is_trimmed() -> None:
    assert message(line_id=None, recipient="everyone  ").recipient == AllFollowers()
    audience = message(line_id=None, recipient=" audience:7 ").recipient
    assert audience == NarrowcastRecipients({"recipient": {"type": "audience", "audienceGroupId": 7}})


@pytest.mark.parametrize("nothing", [None, "", "  ", "[]", [], "null"])
def test_an_empty_list_is_no_content(nothing: object) -> None:
    assert message(messages=nothing).content == [{"type": "text", "text": "x"}]


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_blank_text_is_no_content(blank: str | None) -> None:
    sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
    assert message(messages=sticker, text=blank).content == [sticker]


@pytest.mark.parametrize("nothing", [None, "", "  ", "[]", [], "null", {}, "{}"])
def test_empty_variables(nothing: object) -> None:
    assert message(variables=nothing).variables == {}


def test_the_times_of_a_message() -> None:
    item = message(send_at="2026-11-01 09:00:00 UTC", expires_at="2026-11-25", created_at=1712030400000)
    assert item.send_at == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert item.expires_at == datetime(2026, 11, 25, 23, 59, 59, 999999, tzinfo=UTC)
    assert item.created_at == datetime(2024, 4, 2, 4, tzinfo=UTC)
    assert message(send_at="2999-01-01", expires_at="9999-12-31").send_at == datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"message_id": 1234567890123456789.0}, Reason.NO_MESSAGE_ID),
        ({"line_id": None, "id": "unknown"}, Reason.JUNK_IDENTIFIER),
        ({"line_id": None, "id": "unknown", "email": "noreply@example.com"}, Reason.NO_RECIPIENT),
        ({"line_id": None, "email": "no email"}, Reason.JUNK_IDENTIFIER),
        ({"line_id": None, "email": "aoi"}, Reason.INVALID_EMAIL),
        ({"send_at": "20261101"}, Reason.INVALID_TIMESTAMP),
        ({"Campaign": "a", "CAMPAIGN": "b"}, Reason.INVALID_RECORD),
    ],
)
def test_what_cannot_be_understood_is_rejected(columns: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        message(**columns)
    assert caught.value.reason is reason


ANY_TEXT = st.text(max_size=20) | st.sampled_from(
    [
        "9999-12-31T23:59:59.999999-14:00",
        "0001-01-01T00:00:00+14:00",
        "[" * 5000,
        '{"a": "\\ud800"}',
        "audience:7",
        "\ud800",
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.just(5000).map(lambda digits: 10**digits),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT | st.just("type"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*MESSAGE_COLUMNS, "ID", "replyToken"]), ANY_JSON))
def test_any_record_is_a_message_or_rejected(columns: dict[str, Any]) -> None:
    for record in (columns, {"message_id": "m", "line_id": line_id(1), "text": "x", **columns}):
        try:
            PARSER.parse(Role.MESSAGES, record)
        except RejectedRecordError as error:
            json.dumps(error.detail)
