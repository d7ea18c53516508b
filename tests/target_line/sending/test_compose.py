"""A message and a profile become the body of a request, or a reason why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from line_core.identity.policy import MergePolicy
from line_core.identity.rules import resolve
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.content import ContentWriter
from target_line.sending.decide.rules import Decision, Invalid, Postponed, Send, Skipped, User, compose
from target_line.sending.policy import SendingPolicy
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.read.message import parse_message
from target_line.sending.read.recipients import Chat, Everyone, Selection, parse_recipient
from tests.support.people import evidence_of, follow, identify, line_id

if TYPE_CHECKING:
    from line_core.identity.model import EvidenceRecord, Profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def profile(*records: EvidenceRecord) -> Profile:
    (only,) = resolve(evidence_of(*records), MergePolicy()).profiles
    return only


def composed(record: dict[str, Any], to: Profile | None, policy: SendingPolicy | None = None) -> Decision:
    message = parse_message({"message_id": "m1", **record}, "default")
    return compose(message, to, policy or SendingPolicy(), write=ContentWriter(), now=NOW, staged_at=NOW)


def sent(record: dict[str, Any], to: Profile | None) -> Send:
    send = composed(record, to)
    assert isinstance(send, Send), send
    return send


def content(record: dict[str, Any], to: Profile | None) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(f"{{{sent(record, to).content}}}")
    return decoded


CUSTOMER = profile(identify(at=1, id="a", line=1, name="Aoi"), follow(1, at=1))


def test_a_text_becomes_one_text_message_to_the_canonical_line_id() -> None:
    send = sent({"id": "a", "text": "Hello"}, CUSTOMER)
    assert send == Send(User(line_id(1)), '"messages":[{"type":"text","text":"Hello"}]')


def test_templates_see_the_profile_and_the_variables() -> None:
    record = {"id": "a", "text": "{{ profile.name }} ({{ profile.id }}): {{ variables.n }}%", "variables": '{"n": 20}'}
    assert content(record, CUSTOMER)["messages"][0]["text"] == "Aoi (a): 20%"


def test_templates_work_deep_inside_message_objects_and_cannot_break_their_json() -> None:
    text = {"type": "text", "text": "{{ profile.name }}"}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [text]}}
    flex = {"type": "flex", "altText": "{{ variables.quote }}", "contents": bubble}
    record = {"id": "a", "messages": json.dumps([flex]), "variables": {"quote": 'say "hi", \\ and {}'}}
    (message,) = content(record, CUSTOMER)["messages"]
    assert message["altText"] == 'say "hi", \\ and {}'
    assert message["contents"]["body"]["contents"] == [{"type": "text", "text": "Aoi"}]


@pytest.mark.parametrize(
    "text", ["{{ profile.title }}", "{{ variables.x.y }}", "{% if %}", "{{ profile.name | nope }}"]
)
def test_a_template_that_cannot_be_filled_in_is_refused(text: str) -> None:
    refusal = composed({"id": "a", "text": text}, CUSTOMER)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is Reason.TEMPLATE_ERROR
    assert refusal.detail.startswith("messages[0].text: ")


def test_text_that_no_encoding_can_carry_is_refused() -> None:
    refusal = composed({"id": "a", "text": "half an emoji: \ud83d"}, CUSTOMER)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is Reason.INVALID_MESSAGE


def test_an_emoji_is_sent_as_it_is() -> None:
    assert content({"id": "a", "text": "😀"}, CUSTOMER)["messages"][0]["text"] == "😀"


def test_one_object_is_as_good_as_a_list_of_one() -> None:
    sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
    assert content({"id": "a", "messages": sticker}, CUSTOMER)["messages"] == [sticker]


def test_notification_disabled_is_passed_on() -> None:
    assert content({"id": "a", "text": "x", "notification_disabled": True}, CUSTOMER)["notificationDisabled"] is True


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
        (
            {"id": "a", "text": "x"},
            profile(identify(at=1, id="a", line=1, unsubscribed=True)),
            Reason.SUPPRESSED,
        ),
    ],
)
def test_what_should_not_go_is_skipped_with_a_reason(
    record: dict[str, Any],
    to: Profile | None,
    reason: Reason,
) -> None:
    skipped = composed(record, to, SendingPolicy(suppression_attributes=("unsubscribed",)))
    assert isinstance(skipped, Skipped)
    assert skipped.reason is reason


def test_a_line_id_that_nothing_is_known_of_is_written_to_as_it_is() -> None:
    assert sent({"line_id": line_id(5), "text": "x"}, None).to == User(line_id(5))


def test_a_message_to_an_old_line_id_reaches_the_canonical_one() -> None:
    moved = profile(identify(at=1, id="a", line=1), identify(at=2, id="a", line=2), follow(2, at=2))
    assert sent({"line_id": line_id(1), "text": "x"}, moved).to == User(line_id(2))


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
        ({"recipient": "everyone"}, Reason.NO_RECIPIENT),
        ({"id": None, "recipient": "all"}, Reason.NO_RECIPIENT),
        ({"id": None, "recipient": "audience:x"}, Reason.NO_RECIPIENT),
        ({"id": None, "recipient": {"to": "everyone"}}, Reason.NO_RECIPIENT),
        ({"id": None, "recipient": "[1]"}, Reason.NO_RECIPIENT),
        ({"id": None, "group_id": line_id(1)}, Reason.NO_RECIPIENT),
        ({"campaign": "new year"}, Reason.INVALID_CAMPAIGN),
        ({"campaign": "x" * 31}, Reason.INVALID_CAMPAIGN),
        ({"campaign": 2026}, Reason.INVALID_CAMPAIGN),
    ],
)
def test_a_message_record_that_cannot_be_sent_is_refused_with_a_reason(record: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_message({"message_id": "m1", "id": "a", "text": "x", **record}, "default")
    assert caught.value.reason is reason


GROUP, ROOM = "C" + "a" * 32, "R" + "b" * 32


@pytest.mark.parametrize(
    ("record", "to"),
    [
        ({"line_id": GROUP}, Chat(GROUP)),
        ({"group_id": GROUP}, Chat(GROUP)),
        ({"room_id": ROOM}, Chat(ROOM)),
        ({"recipient": ROOM}, Chat(ROOM)),
        ({"recipient": "everyone"}, Everyone()),
        ({"recipient": "audience:4711"}, Selection({"recipient": {"type": "audience", "audienceGroupId": 4711}})),
        ({"recipient": '{"limit": {"max": 10}}'}, Selection({"limit": {"max": 10}})),
    ],
)
def test_groups_rooms_everyone_and_audiences_are_recipients_too(record: dict[str, Any], to: Any) -> None:
    assert sent({**record, "text": "x"}, None).to == to


def test_a_campaign_is_the_unit_of_pushes_and_multicasts_alone() -> None:
    assert content({"id": "a", "text": "x", "campaign": "spring_26"}, CUSTOMER)["customAggregationUnits"] == [
        "spring_26"
    ]
    assert "customAggregationUnits" not in content({"recipient": "everyone", "text": "x", "campaign": "a"}, None)


@pytest.mark.parametrize(("value", "goes"), [(True, False), ("yes", False), ("false", True), ("", True), (None, True)])
def test_an_opt_out_may_come_as_text(value: object, goes: bool) -> None:
    customer = profile(identify(at=1, id="a", line=1, optout=value))
    decision = composed({"id": "a", "text": "x"}, customer, SendingPolicy(suppression_attributes=("optout",)))
    assert isinstance(decision, Send) is goes


@pytest.mark.parametrize(
    ("times", "goes"),
    [
        ({"send_at": "2026-05-31T00:00:00Z"}, True),
        ({"send_at": "2026-05-29T23:59:59Z"}, False),
        ({"created_at": "2026-05-29T23:59:59Z"}, False),
        ({"created_at": "2026-01-01", "send_at": "2026-05-31"}, True),
        ({}, True),
    ],
)
def test_what_is_older_than_max_message_age_is_expired(times: dict[str, str], goes: bool) -> None:
    decision = composed({"id": "a", "text": "x", **times}, CUSTOMER, SendingPolicy(max_message_age=timedelta(days=2)))
    assert decision == Skipped(Reason.EXPIRED) or goes
    assert isinstance(decision, Send) is goes


def test_in_quiet_hours_a_message_waits_for_the_person_s_morning() -> None:
    policy = SendingPolicy(quiet_hours=QuietHours.parse("21:00-08:00"), time_zone=ZoneInfo("Asia/Tokyo"))
    record = {"id": "a", "text": "x"}
    assert isinstance(composed(record, CUSTOMER, policy), Send), "9:00 in Tokyo"
    in_london = profile(identify(at=1, id="a", line=1, time_zone="Europe/London"))
    morning = datetime(2026, 6, 1, 7, tzinfo=UTC)
    assert composed(record, in_london, policy) == Postponed(Reason.QUIET_HOURS, morning), "1:00 in London"
    nowhere = profile(identify(at=1, id="a", line=1, time_zone="Moon/Tranquility"))
    assert isinstance(composed(record, nowhere, policy), Send)


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([{"type": "text", "text": "x" * 5001}], "messages[0].text: 5001 of 5000 characters"),
        ([{"type": "text", "text": "👍" * 2501}], "messages[0].text: 5002 of 5000 characters"),
        ([{"type": "text", "text": "x"}, {"type": "sticker"}], "messages[1].packageId: May not be empty"),
    ],
)
def test_what_line_would_refuse_is_refused_before(messages: list[dict[str, Any]], problem: str) -> None:
    refusal = composed({"id": "a", "messages": messages}, CUSTOMER)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is Reason.INVALID_MESSAGE
    assert problem in refusal.detail


def test_a_template_that_would_never_end_is_refused() -> None:
    loop = "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}"
    refusal = composed({"id": "a", "text": loop}, CUSTOMER)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is Reason.TEMPLATE_ERROR


def test_times_without_a_zone_are_in_the_time_zone_over_changes_of_the_clock() -> None:
    def send_at(text: str) -> datetime | None:
        record = {"message_id": "m1", "id": "a", "text": "x", "send_at": text}
        return parse_message(record, "default", ZoneInfo("Europe/Berlin")).send_at

    assert send_at("2026-03-28T09:00:00") == datetime(2026, 3, 28, 8, tzinfo=UTC)
    assert send_at("2026-03-29T09:00:00") == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert send_at("2026-03-29T02:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "left out: as much later"
    assert send_at("2026-10-25T02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "comes twice: the first"
    assert send_at("2026-10-25T02:30:00+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_content_key_tells_contents_apart_and_nothing_else() -> None:
    def key(**record: Any) -> str:
        return parse_message({"message_id": "m1", "id": "a", "text": "x", **record}, "default").content_key()

    same = [key(), key(message_id="m2"), key(id="b"), key(text=None, messages=[{"type": "text", "text": "x"}])]
    others = [key(text="y"), key(campaign="c"), key(notification_disabled=True), key(variables={"a": 1})]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 5


@pytest.mark.parametrize("record", [{}, {"id": "a", "email": "a@example.com"}, {"id": "a", "line_id": line_id(1)}])
def test_a_message_names_exactly_one_recipient(record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_recipient(record, "default")
    assert caught.value.reason is Reason.NO_RECIPIENT


def test_what_is_written_once_for_many_is_never_taken_for_something_else() -> None:
    write = ContentWriter()

    def written(to: Profile | None = None, **record: Any) -> str:
        return write(parse_message({"message_id": "m1", "id": "a", **record}, "default"), to, True)

    assert written(text="x") == written(text="x") == '"messages":[{"type":"text","text":"x"}]'
    assert written(text="y") == '"messages":[{"type":"text","text":"y"}]'
    assert written(text="y", campaign="c").endswith(',"customAggregationUnits":["c"]')
    template = "{{ profile.name }}"
    assert "Aoi" in written(CUSTOMER, text=template)
    assert "Ren" in written(profile(identify(at=1, id="b", line=2, name="Ren")), text=template)
    assert '"1"' in written(text="{{ variables.n }}", variables={"n": 1})
    assert '"2"' in written(text="{{ variables.n }}", variables={"n": 2})
