"""Decisions about due messages, and parsing of `messages` records."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from line_core.identity.model import Claim, DatedValue, EvidenceRecord
from line_core.identity.policy import MergePolicy
from line_core.identity.rules import resolve
from target_line.identity.identifiers import IdentifierReader
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.content import ContentRenderer, MessageContent
from target_line.sending.decide.decisions import Decision, Invalid, LineUser, Postponed, Send, Skipped
from target_line.sending.decide.rules import decide_message, has_unreadable_time_zone
from target_line.sending.policy import SendingPolicy
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.read.message import parse_message
from target_line.sending.read.recipients import AllFollowers, ChatRecipient, NarrowcastRecipients, parse_recipient
from tests.support.people import evidence_of, follow, identify, line_id

if TYPE_CHECKING:
    from line_core.identity.results import Profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def profile(*records: EvidenceRecord) -> Profile:
    (only,) = resolve(evidence_of(*records), MergePolicy()).profiles
    return only


def decide(record: dict[str, Any], to: Profile | None, policy: SendingPolicy | None = None) -> Decision:
    message = parse_message({"message_id": "m1", **record}, "default")
    return decide_message(message, to, policy or SendingPolicy(), render=ContentRenderer(), now=NOW, staged_at=NOW)


def decide_to_send(record: dict[str, Any], to: Profile | None) -> Send:
    decision = decide(record, to)
    assert isinstance(decision, Send), decision
    return decision


def render(record: dict[str, Any], to: Profile | None) -> list[dict[str, Any]]:
    """Return the message objects that are sent."""
    messages: list[dict[str, Any]] = json.loads(decide_to_send(record, to).content.messages)
    return messages


CUSTOMER = profile(identify(at=1, id="a", line=1, name="Aoi"), follow(1, at=1))


def test_text_becomes_one_text_message_to_the_canonical_line_id() -> None:
    send = decide_to_send({"id": "a", "text": "Hello"}, CUSTOMER)
    assert send == Send(LineUser(line_id(1)), MessageContent('[{"type":"text","text":"Hello"}]'))


def test_templates_use_profile_and_variables() -> None:
    record = {"id": "a", "text": "{{ profile.name }} ({{ profile.id }}): {{ variables.n }}%", "variables": '{"n": 20}'}
    assert render(record, CUSTOMER)[0]["text"] == "Aoi (a): 20%"


def test_templates_in_nested_objects_keep_the_json_valid() -> None:
    text = {"type": "text", "text": "{{ profile.name }}"}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [text]}}
    flex = {"type": "flex", "altText": "{{ variables.quote }}", "contents": bubble}
    record = {"id": "a", "messages": json.dumps([flex]), "variables": {"quote": 'say "hi", \\ and {}'}}
    (message,) = render(record, CUSTOMER)
    assert message["altText"] == 'say "hi", \\ and {}'
    assert message["contents"]["body"]["contents"] == [{"type": "text", "text": "Aoi"}]


@pytest.mark.parametrize(
    "text", ["{{ profile.title }}", "{{ variables.x.y }}", "{% if %}", "{{ profile.name | nope }}"]
)
def test_a_template_that_cannot_be_rendered_makes_the_message_invalid(text: str) -> None:
    decision = decide({"id": "a", "text": text}, CUSTOMER)
    assert isinstance(decision, Invalid)
    assert decision.reason is Reason.TEMPLATE_ERROR
    assert decision.detail.startswith("messages[0].text: ")


def test_a_lone_surrogate_makes_the_message_invalid() -> None:
    decision = decide({"id": "a", "text": "half an emoji: \ud83d"}, CUSTOMER)
    assert isinstance(decision, Invalid)
    assert decision.reason is Reason.INVALID_MESSAGE


def test_an_emoji_is_sent_unchanged() -> None:
    assert render({"id": "a", "text": "😀"}, CUSTOMER)[0]["text"] == "😀"


def test_messages_can_be_one_object_or_a_list() -> None:
    sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
    assert render({"id": "a", "messages": sticker}, CUSTOMER) == [sticker]


def test_notification_disabled_is_part_of_the_content() -> None:
    record = {"id": "a", "text": "x", "notification_disabled": True}
    assert decide_to_send(record, CUSTOMER).content.notification_disabled is True


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
def test_messages_that_must_not_be_sent_are_skipped_with_a_reason(
    record: dict[str, Any],
    to: Profile | None,
    reason: Reason,
) -> None:
    skipped = decide(record, to, SendingPolicy(suppression_attributes=("unsubscribed",)))
    assert isinstance(skipped, Skipped)
    assert skipped.reason is reason


def test_a_line_id_without_a_profile_is_sent_to_directly() -> None:
    assert decide_to_send({"line_id": line_id(5), "text": "x"}, None).to == LineUser(line_id(5))


def test_a_message_to_an_old_line_id_goes_to_the_canonical_one() -> None:
    moved = profile(identify(at=1, id="a", line=1), identify(at=2, id="a", line=2), follow(2, at=2))
    assert decide_to_send({"line_id": line_id(1), "text": "x"}, moved).to == LineUser(line_id(2))


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
        ({"text": None, "messages": []}, Reason.NO_CONTENT),
        ({"text": "  ", "messages": "[]"}, Reason.NO_CONTENT),
        ({"text": None, "messages": [{"type": "text"}] * 6}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": ["hello"]}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": [{"text": "no type"}]}, Reason.INVALID_MESSAGE),
        ({"text": None, "messages": "[{"}, Reason.INVALID_MESSAGE),
        ({"variables": [1]}, Reason.INVALID_MESSAGE),
        ({"notification_disabled": "silent"}, Reason.INVALID_MESSAGE),
        ({"notification_disabled": 2}, Reason.INVALID_MESSAGE),
        ({"notification_disabled": []}, Reason.INVALID_MESSAGE),
        ({"message_id": 1234567890123456789.0}, Reason.NO_MESSAGE_ID),
        ({"message_id": 1.5}, Reason.NO_MESSAGE_ID),
        ({"id": 9007199254740992.0}, Reason.INVALID_ID),
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
        ({"campaign": 2026.5}, Reason.INVALID_CAMPAIGN),
    ],
)
def test_an_invalid_message_record_is_rejected_with_a_reason(record: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_message({"message_id": "m1", "id": "a", "text": "x", **record}, "default")
    assert caught.value.reason is reason


GROUP, ROOM = "C" + "a" * 32, "R" + "b" * 32


@pytest.mark.parametrize(
    ("record", "to"),
    [
        ({"line_id": GROUP}, ChatRecipient(GROUP)),
        ({"group_id": GROUP}, ChatRecipient(GROUP)),
        ({"room_id": ROOM}, ChatRecipient(ROOM)),
        ({"recipient": ROOM}, ChatRecipient(ROOM)),
        ({"recipient": "everyone"}, AllFollowers()),
        (
            {"recipient": "audience:4711"},
            NarrowcastRecipients({"recipient": {"type": "audience", "audienceGroupId": 4711}}),
        ),
        ({"recipient": '{"limit": {"max": 10}}'}, NarrowcastRecipients({"limit": {"max": 10}})),
    ],
)
def test_recipients_can_be_groups_rooms_all_followers_and_audiences(record: dict[str, Any], to: Any) -> None:
    assert decide_to_send({**record, "text": "x"}, None).to == to


def test_a_campaign_is_the_aggregation_unit_of_pushes_and_multicasts_only() -> None:
    to_person = decide_to_send({"id": "a", "text": "x", "campaign": "spring_26"}, CUSTOMER)
    assert to_person.content.aggregation_unit == "spring_26"
    to_all = decide_to_send({"recipient": "everyone", "text": "x", "campaign": "a"}, None)
    assert to_all.content.aggregation_unit is None


@pytest.mark.parametrize(
    ("value", "is_sent"), [(True, False), ("yes", False), ("false", True), ("", True), (None, True)]
)
def test_an_opt_out_attribute_can_be_text(value: object, is_sent: bool) -> None:
    customer = profile(identify(at=1, id="a", line=1, optout=value))
    decision = decide({"id": "a", "text": "x"}, customer, SendingPolicy(suppression_attributes=("optout",)))
    assert isinstance(decision, Send) is is_sent


@pytest.mark.parametrize(
    ("times", "is_sent"),
    [
        ({"send_at": "2026-05-31T00:00:00Z"}, True),
        ({"send_at": "2026-05-29T23:59:59Z"}, False),
        ({"created_at": "2026-05-29T23:59:59Z"}, False),
        ({"created_at": "2026-01-01", "send_at": "2026-05-31"}, True),
        ({}, True),
    ],
)
def test_messages_older_than_max_message_age_expire(times: dict[str, str], is_sent: bool) -> None:
    decision = decide({"id": "a", "text": "x", **times}, CUSTOMER, SendingPolicy(max_message_age=timedelta(days=2)))
    assert decision == Skipped(Reason.EXPIRED) or is_sent
    assert isinstance(decision, Send) is is_sent


def test_quiet_hours_use_the_time_zone_of_the_person() -> None:
    policy = SendingPolicy(quiet_hours=QuietHours.parse("21:00-08:00"), time_zone=ZoneInfo("Asia/Tokyo"))
    record = {"id": "a", "text": "x"}
    assert isinstance(decide(record, CUSTOMER, policy), Send), "9:00 in Tokyo"
    in_london = profile(identify(at=1, id="a", line=1, time_zone="Europe/London"))
    morning = datetime(2026, 6, 1, 7, tzinfo=UTC)
    assert decide(record, in_london, policy) == Postponed(Reason.QUIET_HOURS, morning), "1:00 in London"
    nowhere = profile(identify(at=1, id="a", line=1, time_zone="Moon/Tranquility"))
    assert isinstance(decide(record, nowhere, policy), Send)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "asia/tokyo", " Asia/Tokyo ", "JST", "Tokyo", "+09:00", "UTC+9", 9])
def test_quiet_hours_hold_for_a_time_zone_in_any_spelling(zone: object) -> None:
    quiet_in_tokyo = SendingPolicy(quiet_hours=QuietHours.parse("08:00-10:00"), time_zone=ZoneInfo("Europe/London"))
    person = profile(identify(at=1, id="a", line=1, time_zone=zone))
    decision = decide({"id": "a", "text": "x"}, person, quiet_in_tokyo)
    assert decision == Postponed(Reason.QUIET_HOURS, datetime(2026, 6, 1, 1, tzinfo=UTC))
    readable = str(zone) not in ("JST", "Tokyo", "9")
    assert has_unreadable_time_zone(person, quiet_in_tokyo) is not readable


def test_the_time_zone_attribute_is_found_in_any_case() -> None:
    policy = SendingPolicy(time_zone=ZoneInfo("Europe/London"), quiet_hours=QuietHours.parse("08:00-10:00"))
    person = profile(identify(at=1, id="a", line=1, TIME_ZONE="Asia/Tokyo"))
    assert isinstance(decide({"id": "a", "text": "x"}, person, policy), Postponed)
    own = profile(identify(at=1, id="a", line=1, TIME_ZONE="Asia/Tokyo", time_zone="Europe/London"))
    assert isinstance(decide({"id": "a", "text": "x"}, own, policy), Send)


@pytest.mark.parametrize(("zone", "hour"), [("America/New York", "20"), ("Moon", "01"), (None, "01"), (" ", "01")])
def test_templates_print_dates_in_the_time_zone_of_the_person(zone: object, hour: str) -> None:
    person = profile(identify(at=1, id="a", line=1, time_zone=zone))
    record = {"id": "a", "text": "{{ 'now' | date: '%H' }}"}
    decision = decide(record, person, SendingPolicy(time_zone=ZoneInfo("Europe/London")))
    assert isinstance(decision, Send)
    assert json.loads(decision.content.messages)[0]["text"] == hour


def test_null_in_optional_properties_is_not_sent() -> None:
    message = {"type": "text", "text": "x", "quickReply": None, "sender": {"name": "Shop", "iconUrl": None}}
    assert render({"id": "a", "messages": message}, CUSTOMER) == [
        {"type": "text", "text": "x", "sender": {"name": "Shop"}}
    ]


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([{"type": "text", "text": "x" * 5001}], "messages[0].text: 5001 of 5000 characters"),
        ([{"type": "text", "text": "👍" * 2501}], "messages[0].text: 5002 of 5000 characters"),
        ([{"type": "text", "text": "x"}, {"type": "sticker"}], "messages[1].packageId: May not be empty"),
    ],
)
def test_content_that_line_would_reject_makes_the_message_invalid(messages: list[dict[str, Any]], problem: str) -> None:
    decision = decide({"id": "a", "messages": messages}, CUSTOMER)
    assert isinstance(decision, Invalid)
    assert decision.reason is Reason.INVALID_MESSAGE
    assert problem in decision.detail


def test_a_template_with_an_excessive_loop_makes_the_message_invalid() -> None:
    loop = "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}"
    decision = decide({"id": "a", "text": loop}, CUSTOMER)
    assert isinstance(decision, Invalid)
    assert decision.reason is Reason.TEMPLATE_ERROR


def test_times_without_an_offset_use_the_time_zone_also_at_clock_changes() -> None:
    def send_at(text: str) -> datetime | None:
        record = {"message_id": "m1", "id": "a", "text": "x", "send_at": text}
        return parse_message(record, "default", ZoneInfo("Europe/Berlin")).send_at

    assert send_at("2026-03-28T09:00:00") == datetime(2026, 3, 28, 8, tzinfo=UTC)
    assert send_at("2026-03-29T09:00:00") == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert send_at("2026-03-29T02:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "does not exist: moved forward"
    assert send_at("2026-10-25T02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "exists twice: the first"
    assert send_at("2026-10-25T02:30:00+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_content_key_depends_on_content_and_options_only() -> None:
    def key(**record: Any) -> str:
        return parse_message({"message_id": "m1", "id": "a", "text": "x", **record}, "default").content_key()

    same = [key(), key(message_id="m2"), key(id="b"), key(text=None, messages=[{"type": "text", "text": "x"}])]
    others = [key(text="y"), key(campaign="c"), key(notification_disabled=True), key(variables={"a": 1})]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 5


@pytest.mark.parametrize("record", [{}, {"id": "a", "email": "a@example.com"}, {"id": "a", "line_id": line_id(1)}])
def test_a_message_must_have_exactly_one_recipient(record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_recipient(record, IdentifierReader("default"))
    assert caught.value.reason is Reason.NO_RECIPIENT


def test_the_cached_content_is_used_only_for_equal_content() -> None:
    renderer = ContentRenderer()

    def rendered(to: Profile | None = None, **record: Any) -> MessageContent:
        message = parse_message({"message_id": "m1", "id": "a", **record}, "default")
        return renderer(message, to, with_unit=True, is_for_chat=False, local_now=NOW)

    hello = MessageContent('[{"type":"text","text":"x"}]')
    assert rendered(text="x") == rendered(text="x") == hello
    assert rendered(text="y") == MessageContent('[{"type":"text","text":"y"}]')
    assert rendered(text="y", campaign="c").aggregation_unit == "c"
    template = "{{ profile.name }}"
    assert "Aoi" in rendered(CUSTOMER, text=template).messages
    assert "Ren" in rendered(profile(identify(at=1, id="b", line=2, name="Ren")), text=template).messages
    assert '"1"' in rendered(text="{{ variables.n }}", variables={"n": 1}).messages
    assert '"2"' in rendered(text="{{ variables.n }}", variables={"n": 2}).messages


@pytest.mark.parametrize("depth", [102, 1_000, 100_000])
@pytest.mark.parametrize("column", ["messages", "variables", "recipient"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_deeply_nested_column_is_rejected(column: str, depth: int, as_text: bool) -> None:
    text = '{"a":[' * (depth // 2) + "1" + "]}" * (depth // 2)
    value: Any = text
    if not as_text:
        value = 1
        for _ in range(depth):
            value = {"a": value}
    record = {"message_id": "m1", "id": "a", "text": "x", column: value}
    for other, name in (("id", "recipient"), ("text", "messages")):
        if column == name:
            del record[other]
    with pytest.raises(RejectedRecordError) as caught:
        parse_message(record, "default")
    assert "levels of objects and lists" in caught.value.detail or column == "messages"


def test_half_of_a_surrogate_pair_is_rejected_wherever_it_stands() -> None:
    half = "half: \ud83d"
    claim = identify(at=1, id="a", line=1)
    assert isinstance(claim, Claim)
    claim.attributes["name"] = DatedValue(1, half)  # as older versions stored it
    person = profile(claim)
    for record in (
        {"text": half},
        {"text": half + "{{ 1 }}"},
        {"text": "{{ profile.name }}"},
        {"text": "{{ variables.x }}", "variables": {"x": half}},
        {"text": "{{ variables.x | append: '' }}", "variables": {"x": half}},
        {"messages": {"type": "text", "text": "x", half: half}},
        {"text": "{{ variables.\ud83d }}"},
        {"text": '{{ variables["\ud83d"] }}'},
    ):
        decision = decide({"id": "a", **record}, person)
        assert isinstance(decision, Invalid)
        assert decision.detail.encode()
    with pytest.raises(RejectedRecordError):
        parse_message({"message_id": "m", "text": "x", "recipient": {"filter": {half: half}}}, "default")


def test_numbers_in_variables_are_printed_as_their_json_text_has_them() -> None:
    record = {"id": "a", "text": "{{ variables.price }} {{ variables.price | times: 2 }}"}
    assert render({**record, "variables": '{"price": 19.90}'}, CUSTOMER)[0]["text"] == "19.90 39.8"
    assert render({**record, "variables": {"price": 19.9}}, CUSTOMER)[0]["text"] == "19.9 39.8"


def test_content_of_an_unknown_type_is_left_to_line_unless_a_setting_rejects_it() -> None:
    record = {"id": "a", "messages": {"type": "hologram", "shape": "cat"}}
    assert render(record, CUSTOMER) == [{"type": "hologram", "shape": "cat"}]
    rejected = parse_message({"message_id": "m1", **record}, "default")
    renderer = ContentRenderer(rejects_unknown_types=True)
    with pytest.raises(RejectedRecordError, match=r"messages\[0\].type: Must be one of"):
        renderer(rejected, CUSTOMER, with_unit=False, is_for_chat=False, local_now=NOW)
    wrong = decide({"id": "a", "messages": [record["messages"], {"type": "text"}]}, CUSTOMER)
    assert wrong == Invalid(Reason.INVALID_MESSAGE, "messages[1].text: May not be empty")


def test_a_mention_in_a_message_to_a_person_is_invalid() -> None:
    mention = {"type": "mention", "mentionee": {"type": "all"}}
    messages = {"type": "textV2", "text": "Hi {all}", "substitution": {"all": mention}}
    assert isinstance(decide({"id": "a", "messages": messages}, CUSTOMER), Invalid)
    assert isinstance(decide({"group_id": GROUP, "messages": messages}, None), Send)


def test_the_detail_of_a_reject_can_be_stored() -> None:
    error = RejectedRecordError(Reason.INVALID_MESSAGE, "a\0\ud83d" + "x" * 5_000)
    assert error.detail[:4] == "a\ufffd?x"
    assert len(error.detail) == 2_000
