"""LINE refuses one message, one method or everything; keeps failing for one message; or does not speak itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from line_core.api.errors import (
    AuthenticationError,
    ForeignResponseError,
    NotEntitledError,
    QuotaUsedUpError,
    RateLimitError,
    error_from_response,
)
from line_core.api.response import Response
from line_core.api.retry import RetryPolicy
from line_core.store import open_store
from line_core.store.tables.ledger import requests
from target_line.sending.send.responses import is_content_error
from target_line.sending.send.sender import SenderLimits
from tests.support.people import line_id
from tests.support.scripted_line import ACCEPTED, ScriptedLine, SendingRunOnStore, page_of_a_proxy, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


GROUP = "C" + "1" * 32
NOT_ALLOWED = response(403, "You do not have permission")
RATE_LIMIT = response(429, "The API rate limit has been exceeded. Try again later.")
MONTHLY_LIMIT = response(429, "You have reached your monthly limit.")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "pauses", lambda policy: [0.0] + [0.02] * (policy.attempts - 1))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SendingRunOnStore]:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield SendingRunOnStore(opened)


def is_to(recipient: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a body is a push to a recipient."""
    return lambda body: body.get("to") == recipient


def is_narrowcast(body: dict[str, Any]) -> bool:
    return "filter" in body


def is_broadcast(body: dict[str, Any]) -> bool:
    return "to" not in body and "filter" not in body


def answer(condition: Callable[[dict[str, Any]], bool], refusal: Response) -> Callable[[dict[str, Any], int], Response]:
    """Refuse the requests that meet a condition, and accept the others."""
    return lambda body, _attempt: refusal if condition(body) else ACCEPTED


NARROWCAST = {"message_id": "narrow", "recipient": {"filter": {"demographic": {"type": "age"}}}, "text": "narrow"}
BROADCAST = {"message_id": "broad", "recipient": "everyone", "text": "broad"}
TO_GROUP = {"message_id": "group", "group_id": GROUP, "text": "group"}


@pytest.mark.parametrize(
    ("record", "condition", "status"),
    [
        (NARROWCAST, is_narrowcast, 403),
        (TO_GROUP, is_to(GROUP), 403),
        (BROADCAST, is_broadcast, 403),
        (TO_GROUP, is_to(GROUP), 404),
        (TO_GROUP, is_to(GROUP), 410),
    ],
    ids=["narrowcast", "group", "broadcast", "404", "410"],
)
def test_one_refused_message_is_rejected_and_all_others_are_sent(
    run: SendingRunOnStore, record: dict[str, Any], condition: Callable[[dict[str, Any]], bool], status: int
) -> None:
    run.stage(400)
    run.stage_records([record])
    refusal = response(status, "You do not have permission")
    run.send(ScriptedLine(answer(condition, refusal)))
    statuses = run.statuses()
    assert statuses.pop(record["message_id"]) == "rejected"
    assert Counter(statuses.values()) == {"accepted": 400}
    assert run.rows()[record["message_id"]].detail == "You do not have permission"
    run.send(ScriptedLine(answer(condition, refusal)))  # nothing is due, and nothing is an error


def test_the_log_names_the_message_that_line_refuses(run: SendingRunOnStore, caplog: pytest.LogCaptureFixture) -> None:
    run.stage(3)
    run.stage_records([TO_GROUP])
    run.send(ScriptedLine(answer(is_to(GROUP), NOT_ALLOWED)))
    assert "message_id group, by push: LINE does not allow this call" in caplog.text
    assert GROUP not in caplog.text


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("people", [1, 300])
def test_an_account_that_may_send_nothing_loses_no_message_and_rejects_none(
    run: SendingRunOnStore, status: int, people: int
) -> None:
    run.stage(people)
    run.stage_records([NARROWCAST, BROADCAST])
    with pytest.raises(Exception, match="status 40"):
        run.send(ScriptedLine(lambda _body, _attempt: response(status, "no")))
    assert set(run.statuses().values()) == {"scheduled"}


def test_a_method_that_line_refuses_pauses_alone_and_its_messages_stay_scheduled(run: SendingRunOnStore) -> None:
    for content in range(30):
        records = [
            {"message_id": f"{content}-{person}", "line_id": line_id(person), "text": f"to many {content}"}
            for person in range(3)
        ]
        run.stage_records(records)
    run.stage(50)
    line = ScriptedLine(answer(lambda body: isinstance(body["to"], list), NOT_ALLOWED))
    with pytest.raises(NotEntitledError):
        run.send(line, limits=SenderLimits(in_flight=4))
    counts = Counter(row.status for row in run.rows().values())
    assert counts == {"accepted": 50, "scheduled": 90}
    assert Counter(line.methods)["multicast"] <= 5


def test_status_401_of_line_stops_the_run(run: SendingRunOnStore) -> None:
    run.stage(1000)
    line = ScriptedLine(lambda _body, _attempt: response(401, "Authentication failed"))
    with pytest.raises(AuthenticationError):
        run.send(line, limits=SenderLimits(in_flight=4))
    assert len(line.bodies) <= 8
    assert set(run.statuses().values()) == {"scheduled"}


def test_a_broadcast_above_the_rest_of_the_quota_stays_scheduled_and_the_others_are_sent(
    run: SendingRunOnStore,
) -> None:
    run.stage(300)
    run.stage_records([BROADCAST, {**BROADCAST, "message_id": "another", "text": "another"}])
    line = ScriptedLine(answer(is_broadcast, MONTHLY_LIMIT))
    with pytest.raises(QuotaUsedUpError):
        run.send(line, limits=SenderLimits(in_flight=1))
    statuses = run.statuses()
    assert (statuses.pop("broad"), statuses.pop("another")) == ("scheduled", "scheduled")
    assert set(statuses.values()) == {"accepted"}
    assert Counter(line.methods)["broadcast"] == 1, "a second broadcast would be refused too"


def test_a_push_that_is_above_the_quota_stops_the_run(run: SendingRunOnStore) -> None:
    run.stage(300)
    line = ScriptedLine(lambda _body, _attempt: MONTHLY_LIMIT)
    with pytest.raises(QuotaUsedUpError):
        run.send(line, limits=SenderLimits(in_flight=2))
    assert len(line.bodies) <= 4
    assert set(run.statuses().values()) == {"scheduled"}


def test_a_lasting_429_for_one_person_sets_the_message_aside(run: SendingRunOnStore) -> None:
    run.stage(400)
    first: list[str] = []

    def respond(body: dict[str, Any], _attempt: int) -> Response:
        first.append(body["to"])
        return RATE_LIMIT if body["to"] == first[0] else ACCEPTED

    line = ScriptedLine(respond, seconds=0.005)
    run.send(line, limits=SenderLimits(in_flight=8))
    row = run.rows()[str(int(first[0][1:], 16))]
    assert (row.status, row.reason, row.set_aside_count) == ("scheduled", "set_aside", 1)
    assert Counter(run.statuses().values()) == {"accepted": 399, "scheduled": 1}
    assert len(line.paused) <= 3, "the other pushes do not wait"


@pytest.mark.parametrize("failure", [response(500), page_of_a_proxy(502)], ids=["500", "proxy"])
def test_a_lasting_failure_for_one_person_keeps_its_key_and_the_others_are_sent(
    run: SendingRunOnStore, failure: Response
) -> None:
    run.stage(400)
    line = ScriptedLine(answer(is_to(line_id(7)), failure), seconds=0.005)
    run.send(line, limits=SenderLimits(in_flight=8))
    assert Counter(run.statuses().values()) == {"accepted": 399, "claimed": 1}
    with run.store.read() as connection:
        query = select(requests.c.retry_key, requests.c.attempts).where(requests.c.status == "claimed")
        ((key, attempts),) = connection.execute(query)
    assert (len(line.bodies[key]), attempts) == (6, 6)
    later = SendingRunOnStore(run.store, "later")
    second = ScriptedLine(lambda _body, _attempt: ACCEPTED)
    later.send(second)
    assert set(second.bodies) == {key}
    assert set(run.statuses().values()) == {"accepted"}


def test_a_429_for_everybody_stops_the_run_and_sets_nothing_aside(run: SendingRunOnStore) -> None:
    run.stage(600)
    with pytest.raises(RateLimitError):
        run.send(ScriptedLine(lambda _body, _attempt: RATE_LIMIT), limits=SenderLimits(in_flight=8))
    assert {(row.status, row.set_aside_count) for row in run.rows().values()} == {("scheduled", 0)}


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 403, 404, 407, 408, 409, 411, 421, 425, 429, 499, 503])
def test_a_page_of_a_proxy_is_no_outcome(run: SendingRunOnStore, status: int) -> None:
    run.stage(2)
    accepted: set[str] = set()

    def respond(body: dict[str, Any], attempt: int) -> Response:
        if attempt == 1:
            accepted.add(body["to"])
            return page_of_a_proxy(status)
        return response(409, accepted_request_id="first") if body["to"] in accepted else ACCEPTED

    line = ScriptedLine(respond)
    run.send(line)
    assert set(run.statuses().values()) == {"accepted"}
    assert [len(bodies) for bodies in line.bodies.values()] == [2, 2]


def test_a_proxy_that_answers_everything_stops_the_run_and_keeps_the_keys(run: SendingRunOnStore) -> None:
    run.stage(3)
    line = ScriptedLine(lambda _body, _attempt: page_of_a_proxy(403))
    with pytest.raises(ForeignResponseError, match="a server between here and LINE"):
        run.send(line)
    assert set(run.statuses().values()) == {"claimed"}
    second = ScriptedLine(lambda _body, _attempt: ACCEPTED)
    SendingRunOnStore(run.store, "later").send(second)
    assert set(second.bodies) == set(line.bodies)


@pytest.mark.parametrize(
    ("message", "details", "expected"),
    [
        ("The request body has 1 error(s)", [("messages[0].text", "May not be empty")], True),
        ("A message (messages[0]) in the request body is invalid", [("template/actions/0/uri", "invalid uri")], True),
        ("A message (messages[0])\u00a0in the request body is invalid", [("/hero/url", "invalid uri scheme")], True),
        ("A message (messages[3]) in the request body is invalid", [], True),
        ("a message (messages [0]) in the request body is invalid", [], True),
        ("invalid", [("/messages/0/contents", "no")], True),
        ("invalid", [("contents.body", "unknown")], True),
        ("The property, customAggregationUnits, in the request body is invalid", [], True),
        ("The property, to[1], in the request body is invalid (line: -, column: -)", [], False),
        ("The property,\u00a0to[1], in the request body is invalid", [], False),
        ("invalid", [("to[1]", "not a user id")], False),
        ("Failed to send messages", [], False),
        ("", [], False),
    ],
)
def test_a_content_error_is_recognized_in_every_shape(
    message: str, details: list[tuple[str, str]], expected: bool
) -> None:
    body = {"message": message, "details": [{"property": name, "message": text} for name, text in details]}
    headers = {"x-line-request-id": "r"}
    error = error_from_response(Response("POST /v2/bot/message/push", 400, headers, json.dumps(body).encode()))
    assert error
    assert is_content_error(error) == expected


def test_a_multicast_with_refused_content_costs_one_request(run: SendingRunOnStore) -> None:
    run.stage(30, text="the same")
    refusal = response(400, "A message (messages[0]) in the request body is invalid")
    line = ScriptedLine(lambda _body, _attempt: refusal)
    run.send(line)
    assert len(line.bodies) == 1
    assert set(run.statuses().values()) == {"rejected"}
