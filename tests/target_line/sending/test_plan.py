"""Grouping of messages into requests, and the frequency cap."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_line.reasons import Reason
from target_line.sending.claim.plan import MULTICAST_LIMIT, length_with_full_multicasts, plan_requests
from target_line.sending.decide.content import MessageContent
from target_line.sending.decide.decisions import Decision, LineUser, Postponed, Send, Skipped
from target_line.sending.decide.frequency_cap import skip_above_cap
from target_line.sending.policy import SendingPolicy
from target_line.sending.read.recipients import AllFollowers, ChatRecipient, NarrowcastRecipients
from tests.support.ledger_claims import text_content
from tests.support.people import line_id


def to_user(person: int, text: str = "hello") -> Send:
    return Send(LineUser(line_id(person)), text_content(text))


def numbered(sends: list[Send]) -> list[tuple[str, Send]]:
    return [(f"m{number}", send) for number, send in enumerate(sends)]


@given(
    sends=st.lists(st.builds(to_user, st.integers(0, 9), st.sampled_from(["a", "b"])), max_size=60),
    multicast_min=st.integers(2, 9),
)
def test_each_message_is_in_one_request_with_its_content_and_recipient(sends: list[Send], multicast_min: int) -> None:
    requests = plan_requests(numbered(sends), SendingPolicy(multicast_min=multicast_min))
    carried = Counter(message_id for request in requests for message_id in request.message_ids)
    assert carried == Counter(f"m{number}" for number in range(len(sends)))
    for request in requests:
        body = json.loads(request.body.encode())
        people = body["to"] if request.method == "multicast" else [body["to"]]
        assert len(set(people)) == len(people) == len(request.message_ids) == request.recipients
        assert request.method == ("multicast" if len(people) >= multicast_min else "push")
        assert request.recipient_kind == "user"
        for person, message_id in zip(people, request.message_ids, strict=True):
            send = sends[int(message_id[1:])]
            assert send.to == LineUser(person)
            assert json.loads(send.content.messages) == body["messages"]


@pytest.mark.parametrize(("people", "requests"), [(1, 1), (2, 1), (500, 1), (501, 2), (1000, 2), (1250, 3)])
def test_equal_content_for_many_people_takes_the_smallest_number_of_requests(people: int, requests: int) -> None:
    assert len(plan_requests(numbered([to_user(person) for person in range(people)]), SendingPolicy())) == requests


def test_chats_all_followers_and_audiences_get_separate_requests() -> None:
    content = MessageContent("[]")
    requests = plan_requests(
        numbered(
            [
                Send(ChatRecipient("C1"), content),
                Send(ChatRecipient("R1"), content),
                Send(AllFollowers(), content),
                Send(NarrowcastRecipients({"filter": {"demographic": {}}, "limit": {"max": 3}}), content),
            ]
        ),
        SendingPolicy(),
    )
    assert [
        (request.method, request.recipient_kind, request.recipients, json.loads(request.body.encode()))
        for request in requests
    ] == [
        ("push", "group", 1, {"to": "C1", "messages": []}),
        ("push", "room", 1, {"to": "R1", "messages": []}),
        ("broadcast", "followers", 0, {"messages": []}),
        ("narrowcast", "selection", 0, {"filter": {"demographic": {}}, "limit": {"max": 3}, "messages": []}),
    ]


def test_test_recipients_get_each_content_once_and_nobody_else_gets_any() -> None:
    sends = numbered([to_user(1), to_user(2), to_user(3, "bye"), Send(AllFollowers(), to_user(1).content)])
    (hello, bye) = plan_requests(sends, SendingPolicy(test_recipients=(line_id(8), line_id(9))))
    assert (hello.method, hello.body.to) == ("multicast", (line_id(8), line_id(9)))
    assert (hello.message_ids, bye.message_ids) == (("m0", "m1", "m3"), ("m2",))
    (alone, _) = plan_requests(sends, SendingPolicy(test_recipients=(line_id(8),)))
    assert (alone.method, alone.body.to) == ("push", line_id(8))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 700)), max_size=4))
def test_a_page_ends_where_the_multicasts_of_the_last_content_are_full(runs: list[tuple[str, int]]) -> None:
    decisions = [to_user(person, text) for text, count in runs for person in range(count)]
    length = length_with_full_multicasts(decisions)
    assert len(decisions) / 2 <= length <= len(decisions)
    if length < len(decisions):
        last = decisions[-1].content
        assert sum(decision.content == last for decision in decisions[:length]) % MULTICAST_LIMIT == 0


def test_a_page_that_does_not_end_with_a_message_to_a_user_is_planned_completely() -> None:
    page: list[Decision] = [to_user(1), Skipped(Reason.UNFOLLOWED), Send(AllFollowers(), MessageContent(""))]
    assert length_with_full_multicasts(page) == 3
    assert length_with_full_multicasts([Skipped(Reason.EXPIRED)]) == 1
    assert length_with_full_multicasts([]) == 0


def test_the_frequency_cap_counts_earlier_messages_and_messages_of_the_page() -> None:
    postponed = Postponed(Reason.QUIET_HOURS, datetime.now(UTC))
    to_all = Send(AllFollowers(), MessageContent(""))
    decisions: list[Decision] = [to_user(1), postponed, to_user(1, "b"), to_user(2), to_all]
    capped = skip_above_cap(decisions, Counter({line_id(1): 1}), 2)
    assert capped == [to_user(1), postponed, Skipped(Reason.FREQUENCY_CAP, line_id(1)), to_user(2), to_all]


def test_messages_with_equal_content_keep_their_order() -> None:
    (request,) = plan_requests(numbered([to_user(person) for person in range(20)]), SendingPolicy())
    numbers = [int(message_id[1:]) for message_id in request.message_ids]
    assert all(first < second for first, second in pairwise(numbers))
