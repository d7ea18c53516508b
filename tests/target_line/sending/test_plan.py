"""Which requests carry which messages."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.errors import SettingError
from target_line.durations import parse_duration
from target_line.intake.reject_limit import RejectLimit
from target_line.reasons import Reason
from target_line.sending.claim.plan import CHUNK, full_chunks, plan
from target_line.sending.decide.decider import cap_decisions
from target_line.sending.decide.rules import Decision, Postponed, Send, Skipped, User
from target_line.sending.policy import SendingPolicy
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.read.recipients import Chat, Everyone, Selection
from tests.support.people import line_id


def to_user(person: int, content: str = "hello") -> Send:
    return Send(User(line_id(person)), f'"messages":[{{"type":"text","text":"{content}"}}]')


def numbered(sends: list[Send]) -> list[tuple[str, Send]]:
    return [(f"m{number}", send) for number, send in enumerate(sends)]


@given(
    sends=st.lists(st.builds(to_user, st.integers(0, 9), st.sampled_from(["a", "b"])), max_size=60),
    multicast_min=st.integers(2, 9),
)
def test_each_message_is_in_one_request_that_says_what_it_says_to_whom_it_says_it(
    sends: list[Send], multicast_min: int
) -> None:
    requests = plan(numbered(sends), SendingPolicy(multicast_min=multicast_min))
    carried = Counter(member for request in requests for member in request.members)
    assert carried == Counter(f"m{number}" for number in range(len(sends)))
    for request in requests:
        body = json.loads(request.body)
        people = body["to"] if request.method == "multicast" else [body["to"]]
        assert len(set(people)) == len(people) == len(request.members) == request.recipients
        assert request.method == ("multicast" if len(people) >= multicast_min else "push")
        for person, member in zip(people, request.members, strict=True):
            send = sends[int(member[1:])]
            assert send.to == User(person)
            assert json.loads(f"{{{send.content}}}")["messages"] == body["messages"]


@pytest.mark.parametrize(("people", "requests"), [(1, 1), (2, 1), (500, 1), (501, 2), (1000, 2), (1250, 3)])
def test_the_same_to_many_takes_as_few_requests_as_there_can_be(people: int, requests: int) -> None:
    assert len(plan(numbered([to_user(person) for person in range(people)]), SendingPolicy())) == requests


def test_groups_everyone_and_audiences_get_requests_of_their_own() -> None:
    content = '"messages":[]'
    requests = plan(
        numbered(
            [
                Send(Chat("C1"), content),
                Send(Everyone(), content),
                Send(Selection({"filter": {"demographic": {}}, "limit": {"max": 3}}), content),
            ]
        ),
        SendingPolicy(),
    )
    assert [(request.method, json.loads(request.body)) for request in requests] == [
        ("push", {"to": "C1", "messages": []}),
        ("broadcast", {"messages": []}),
        ("narrowcast", {"filter": {"demographic": {}}, "limit": {"max": 3}, "messages": []}),
    ]


def test_testers_get_each_content_once_and_nobody_else_gets_any() -> None:
    sends = numbered([to_user(1), to_user(2), to_user(3, "bye"), Send(Everyone(), to_user(1).content)])
    (hello, bye) = plan(sends, SendingPolicy(test_recipients=(line_id(8), line_id(9))))
    assert (hello.method, json.loads(hello.body)["to"]) == ("multicast", [line_id(8), line_id(9)])
    assert (hello.members, bye.members) == (("m0", "m1", "m3"), ("m2",))
    (alone, _) = plan(sends, SendingPolicy(test_recipients=(line_id(8),)))
    assert (alone.method, json.loads(alone.body)["to"]) == ("push", line_id(8))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 700)), max_size=4))
def test_a_page_ends_where_the_last_content_s_chunks_are_full(runs: list[tuple[str, int]]) -> None:
    decisions = [to_user(place, content) for content, count in runs for place in range(count)]
    kept = full_chunks(decisions)
    assert len(decisions) / 2 <= kept <= len(decisions)
    if kept < len(decisions):
        last = decisions[-1].content
        assert sum(decision.content == last for decision in decisions[:kept]) % CHUNK == 0


def test_a_page_that_ends_with_something_else_is_acted_on_whole() -> None:
    page: list[Decision] = [to_user(1), Skipped(Reason.UNFOLLOWED), Send(Everyone(), "")]
    assert full_chunks(page) == 3
    assert full_chunks([Skipped(Reason.EXPIRED)]) == 1
    assert full_chunks([]) == 0


def test_the_frequency_cap_counts_what_was_sent_before_and_what_goes_now() -> None:
    held = Postponed(Reason.QUIET_HOURS, datetime.now(UTC))
    decisions: list[Decision] = [to_user(1), held, to_user(1, "b"), to_user(2), Send(Everyone(), "")]
    capped = cap_decisions(decisions, Counter({line_id(1): 1}), 2)
    assert capped == [to_user(1), held, Skipped(Reason.FREQUENCY_CAP, line_id(1)), to_user(2), Send(Everyone(), "")]


ZONES = ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo"]


@given(
    now=st.integers(0, 366 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    begin=st.times().map(lambda clock: clock.replace(microsecond=0)),
    end=st.times().map(lambda clock: clock.replace(microsecond=0)),
)
def test_quiet_hours_end_in_the_future_and_are_over_then(now: datetime, zone: ZoneInfo, begin: time, end: time) -> None:
    hours = QuietHours(begin, end)
    until = hours.end_after(now, zone)
    if until is None or begin == end:
        return
    assert now < until <= now + timedelta(hours=25)
    again = hours.end_after(until, zone)
    assert again is None or again > until, "only where the clocks change may they go on"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T20:59:59+02:00", None),
        ("2026-06-01T21:00:00+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T07:59:59+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T08:00:00+02:00", None),
        ("2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall(now: str, until: str | None) -> None:
    found = QuietHours.parse("21:00-08:00").end_after(datetime.fromisoformat(now), ZoneInfo("Europe/Berlin"))
    assert found == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize("text", ["", "21-8", "21:00", "25:00-08:00", "21:00-08:60", "08:00-08:00"])
def test_quiet_hours_that_are_none_are_an_error_that_names_the_setting(text: str) -> None:
    with pytest.raises(SettingError, match="setting: quiet_hours"):
        QuietHours.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("36h", 129600), ("7d", 604800), ("45", 45), (45, 45), ("1.5 h", 5400)]
)
def test_durations_are_written_in_the_usual_ways(text: str | int, seconds: int) -> None:
    assert parse_duration(text, "max_message_age") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0", "-1h", "soon", "1w", "9" * 30 + "d"])
def test_what_is_no_duration_is_an_error_that_names_the_setting(text: str) -> None:
    with pytest.raises(SettingError, match="setting: max_message_age"):
        parse_duration(text, "max_message_age")


@pytest.mark.parametrize(
    ("limit", "refused", "of", "final", "exceeded"),
    [
        (None, 100, 100, True, False),
        (0, 0, 100, True, False),
        ("0", 1, 100, False, True),
        (5, 5, 5, True, False),
        (5, 6, 1000, False, True),
        ("5%", 5, 99, False, False),
        ("5%", 5, 99, True, True),
        ("5%", 5, 100, False, False),
        ("5 %", 6, 100, False, True),
    ],
)
def test_rejects_are_limited_by_number_or_share(
    limit: int | str | None, refused: int, of: int, final: bool, exceeded: bool
) -> None:
    assert (RejectLimit.parse(limit).error(refused, of, final=final) is not None) is exceeded


@pytest.mark.parametrize("value", ["five", "-1", "101%", "5%%", 1.5])
def test_a_limit_of_rejects_that_is_none_is_an_error(value: str | float) -> None:
    with pytest.raises(SettingError, match="setting: max_rejects"):
        RejectLimit.parse(value)


def test_messages_of_a_content_stay_in_their_order() -> None:
    (request,) = plan(numbered([to_user(person) for person in range(20)]), SendingPolicy())
    places = [int(member[1:]) for member in request.members]
    assert all(first < second for first, second in pairwise(places))
