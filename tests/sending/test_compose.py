"""A message and a profile become the body of a request, or a reason why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import people
import pytest
from people import evidence_of, follow, identify, line_id

from target_line.identity.rules import Policy, resolve
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.compose import Decision, Push, Skipped, Unsendable, compose
from target_line.sending.message import parse_message

if TYPE_CHECKING:
    from target_line.identity.model import Profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def profile(*records: people.Record) -> Profile:
    (only,) = resolve(evidence_of(*records), Policy()).profiles
    return only


def composed(record: dict[str, Any], to: Profile | None) -> Decision:
    message = parse_message({"message_id": "m1", **record}, "default")
    return compose(message, to, "default", NOW)


def body(record: dict[str, Any], to: Profile | None) -> dict[str, Any]:
    push = composed(record, to)
    assert isinstance(push, Push)
    decoded: dict[str, Any] = json.loads(push.body)
    return decoded


CUSTOMER = profile(identify(at=1, id="a", line=1, name="Aoi"), follow(1, at=1))


def test_a_text_becomes_one_text_message_to_the_canonical_line_id() -> None:
    assert body({"id": "a", "text": "Hello"}, CUSTOMER) == {
        "to": line_id(1),
        "messages": [{"type": "text", "text": "Hello"}],
    }


def test_templates_see_the_profile_and_the_variables() -> None:
    record = {"id": "a", "text": "{{ profile.name }} ({{ profile.id }}): {{ variables.n }}%", "variables": '{"n": 20}'}
    assert body(record, CUSTOMER)["messages"][0]["text"] == "Aoi (a): 20%"


def test_templates_work_deep_inside_message_objects_and_cannot_break_their_json() -> None:
    flex = {"type": "flex", "altText": "{{ variables.quote }}", "contents": {"body": [{"text": "{{ profile.name }}"}]}}
    record = {"id": "a", "messages": json.dumps([flex]), "variables": {"quote": 'say "hi", \\ and {}'}}
    (message,) = body(record, CUSTOMER)["messages"]
    assert message["altText"] == 'say "hi", \\ and {}'
    assert message["contents"] == {"body": [{"text": "Aoi"}]}


@pytest.mark.parametrize(
    "text", ["{{ profile.title }}", "{{ variables.x.y }}", "{% if %}", "{{ profile.name | nope }}"]
)
def test_a_template_that_cannot_be_filled_in_is_refused(text: str) -> None:
    refusal = composed({"id": "a", "text": text}, CUSTOMER)
    assert isinstance(refusal, Unsendable)
    assert refusal.reason is Reason.TEMPLATE_ERROR
    assert refusal.detail.startswith("messages[0].text: ")


def test_text_that_no_encoding_can_carry_is_refused() -> None:
    refusal = composed({"id": "a", "text": "half an emoji: \ud83d"}, CUSTOMER)
    assert isinstance(refusal, Unsendable)
    assert refusal.reason is Reason.INVALID_MESSAGE


def test_an_emoji_is_sent_as_it_is() -> None:
    assert body({"id": "a", "text": "😀"}, CUSTOMER)["messages"][0]["text"] == "😀"


def test_one_object_is_as_good_as_a_list_of_one() -> None:
    sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
    assert body({"id": "a", "messages": sticker}, CUSTOMER)["messages"] == [sticker]


def test_notification_disabled_is_passed_on() -> None:
    assert body({"id": "a", "text": "x", "notification_disabled": True}, CUSTOMER)["notificationDisabled"] is True


@pytest.mark.parametrize(
    ("record", "to", "reason"),
    [
        ({"id": "nobody", "text": "x"}, None, Reason.UNKNOWN_RECIPIENT),
        ({"id": "a", "text": "x"}, profile(identify(at=1, id="a")), Reason.NO_LINE_ID),
        (
            {"id": "a", "text": "x"},
            profile(identify(at=1, id="a", line=1), follow(1, at=2, type_="unfollow")),
            Reason.UNFOLLOWED,
        ),
        ({"id": "a", "text": "x", "expires_at": "2026-05-31T23:59:59Z"}, CUSTOMER, Reason.EXPIRED),
    ],
)
def test_what_should_not_go_is_skipped_with_a_reason(
    record: dict[str, Any],
    to: Profile | None,
    reason: Reason,
) -> None:
    skipped = composed(record, to)
    assert isinstance(skipped, Skipped)
    assert skipped.reason is reason


def test_a_line_id_that_nothing_is_known_of_is_written_to_as_it_is() -> None:
    assert body({"line_id": line_id(5), "text": "x"}, None)["to"] == line_id(5)


def test_a_message_to_an_old_line_id_reaches_the_canonical_one() -> None:
    moved = profile(identify(at=1, id="a", line=1), identify(at=2, id="a", line=2), follow(2, at=2))
    assert body({"line_id": line_id(1), "text": "x"}, moved)["to"] == line_id(2)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"message_id": None}, Reason.NO_MESSAGE_ID),
        ({"message_id": " "}, Reason.NO_MESSAGE_ID),
        ({"message_id": {}}, Reason.NO_MESSAGE_ID),
        ({"message_id": "m" * 256}, Reason.NO_MESSAGE_ID),
        ({"text": None}, Reason.NO_CONTENT),
        ({"text": "x", "messages": [{"type": "text", "text": "x"}]}, Reason.NO_CONTENT),
        ({"text": 7}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": []}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": [{"type": "text"}] * 6}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": ["hello"]}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": [{"text": "no type"}]}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": "[{"}, Reason.INVALID_MESSAGE),
        ({"variables": [1]}, Reason.INVALID_MESSAGE),
        ({"notification_disabled": "yes"}, Reason.INVALID_MESSAGE),
        ({"send_at": "soon"}, Reason.INVALID_TIMESTAMP),
        ({"id": None}, Reason.NO_RECIPIENT),
    ],
)
def test_a_message_record_that_cannot_be_sent_is_refused_with_a_reason(record: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_message({"message_id": "m1", "id": "a", "text": "x", **record}, "default")
    assert caught.value.reason is reason
