"""The sender, with scripted responses in place of LINE."""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from line_core.api.activity import ClientActivity
from line_core.api.errors import AuthenticationError, QuotaUsedUpError, RateLimitError, ServerError, UnreachableError
from line_core.api.retry import RetryPolicy
from line_core.errors import StoreError
from line_core.message_status import MessageStatus
from line_core.store.tables.ledger import requests as request_table
from target_line.intake.reject_limit import RejectLimit, TooManyRejectsError
from target_line.reasons import Reason
from target_line.run_report import RunReport
from target_line.sending.claim.claims import RequestClaims
from target_line.sending.decide import decider
from target_line.sending.quota import QuotaExhaustedError
from target_line.sending.send import progress
from target_line.sending.send.sender import SenderLimits
from tests.support.ledger_claims import allowance_of
from tests.support.people import line_id
from tests.support.scripted_line import ACCEPTED, ScriptedLine, response
from tests.support.scripted_line import SendingRunOnStore as Run

if TYPE_CHECKING:
    from line_core.api.response import Response
    from line_core.store import Store


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "pauses", lambda policy: [0.0] * policy.attempts)


def test_messages_are_decided_again_if_their_decisions_are_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "PAGE_SIZE", 1)
    run = Run(store, multicast_min=500)
    expires_at = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    records = [{"message_id": str(number), "line_id": line_id(number), "text": "the same"} for number in range(5)]
    records[4]["expires_at"] = expires_at
    run.stage_records(records)
    limits = SenderLimits(in_flight=1, max_decision_age=timedelta(seconds=0.2))
    run.send(ScriptedLine(lambda _body, _attempt: ACCEPTED, seconds=1), limits=limits)
    assert run.statuses() == {"0": "accepted", "1": "accepted", "2": "accepted", "3": "accepted", "4": "skipped"}


@pytest.mark.parametrize(
    ("failure", "pauses_endpoint"),
    [
        (response(500), False),
        (response(429), True),
        (UnreachableError("POST /v2/bot/message/push", reason="reset", may_have_arrived=True), False),
        (UnreachableError("POST /v2/bot/message/push", reason="refused", may_have_arrived=False), True),
    ],
    ids=["500", "429", "may have arrived", "not sent"],
)
def test_a_failed_request_is_sent_again_with_the_same_bytes_and_key(
    store: Store, failure: Response | UnreachableError, pauses_endpoint: bool
) -> None:
    run = Run(store)
    run.stage(3)
    line = ScriptedLine(lambda _body, attempt: failure if attempt < 3 else ACCEPTED)
    run.send(line)
    assert set(run.statuses().values()) == {"accepted"}
    assert len(line.bodies) == 3
    for bodies in line.bodies.values():
        assert len(bodies) == 3
        assert len(set(bodies)) == 1
    assert set(line.paused) == ({"POST /v2/bot/message/push"} if pauses_endpoint else set())


def test_a_conflict_means_that_an_earlier_attempt_was_accepted(store: Store) -> None:
    run = Run(store)
    run.stage(1)
    conflict = response(409, accepted_request_id="first")
    run.send(ScriptedLine(lambda _body, attempt: response(500) if attempt == 1 else conflict))
    assert run.statuses() == {"0": "accepted"}
    with store.read() as connection:
        assert connection.execute(select(request_table.c.request_id)).scalars().all() == ["first"]


@pytest.mark.parametrize(
    ("scripted", "error", "status"),
    [
        (response(500), ServerError, "claimed"),
        (response(429), RateLimitError, "scheduled"),
        (response(401), AuthenticationError, "scheduled"),
        (response(429, "You have reached your monthly limit."), QuotaUsedUpError, "scheduled"),
    ],
    ids=["500", "429", "401", "monthly limit"],
)
def test_a_permanent_failure_stops_the_run_and_keeps_the_messages(
    store: Store, scripted: Response, error: type[Exception], status: str
) -> None:
    run = Run(store)
    run.stage(5)
    with pytest.raises(error):
        run.send(ScriptedLine(lambda _body, _attempt: scripted))
    assert set(run.statuses().values()) == {status}


def test_the_next_run_sends_unfinished_requests_with_the_same_bytes_and_keys(store: Store) -> None:
    run = Run(store)
    run.stage(3, text="the same")
    first = ScriptedLine(lambda _body, _attempt: response(500))
    with pytest.raises(ServerError):
        run.send(first)
    second = ScriptedLine(lambda _body, _attempt: response(409))
    Run(store, "next").send(second)
    assert {key: set(bodies) for key, bodies in first.bodies.items()} == {
        key: set(bodies) for key, bodies in second.bodies.items()
    }
    assert set(run.statuses().values()) == {"accepted"}


def test_an_unfinished_request_that_cannot_be_sent_stays_claimed(store: Store) -> None:
    run = Run(store)
    run.stage(1)
    with pytest.raises(ServerError):
        run.send(ScriptedLine(lambda _body, _attempt: response(500)))
    with pytest.raises(AuthenticationError):
        Run(store, "next").send(ScriptedLine(lambda _body, _attempt: response(401)))
    assert run.statuses() == {"0": "claimed"}


def test_a_rejected_multicast_is_split_until_only_the_rejected_recipient_is_left(store: Store) -> None:
    run = Run(store)
    run.stage(8, text="the same")
    invalid = line_id(5)

    def respond(body: dict[str, Any], _attempt: int) -> Response:
        return response(400, "invalid recipient") if invalid in body["to"] else ACCEPTED

    run.send(ScriptedLine(respond))
    assert run.statuses() == {**{str(number): "accepted" for number in range(8)}, "5": "rejected"}


def test_a_multicast_with_rejected_content_is_not_split(store: Store) -> None:
    run = Run(store)
    run.stage(8, text="the same")
    details = [{"property": "messages[0].text", "message": "invalid"}]
    line = ScriptedLine(lambda _body, _attempt: response(400, "invalid", details=details))
    run.send(line)
    assert len(line.bodies) == 1
    assert set(run.statuses().values()) == {"rejected"}


def test_too_many_rejected_messages_stop_the_run(store: Store) -> None:
    run = Run(store)
    run.report = RunReport(RejectLimit.parse(1))
    run.stage(1000)
    with pytest.raises(TooManyRejectsError):
        run.send(ScriptedLine(lambda _body, _attempt: response(400), seconds=0.01), limits=SenderLimits(in_flight=2))
    counts = Counter(run.statuses().values())
    assert counts["scheduled"] > 0
    assert counts.keys() == {"rejected", "scheduled"}


def test_the_limit_per_run_is_no_error_and_the_quota_is(store: Store) -> None:
    run = Run(store)
    run.stage(3)
    run.send(ScriptedLine(lambda _body, _attempt: ACCEPTED), allowance=allowance_of(max_sends=2))
    assert Counter(run.statuses().values()) == {"accepted": 2, "scheduled": 1}
    used_up = allowance_of(quota=0)
    with pytest.raises(QuotaExhaustedError, match="1 stay scheduled"):
        Run(store, "next").send(ScriptedLine(lambda _body, _attempt: ACCEPTED), allowance=used_up)


@pytest.mark.parametrize("method", ["record_outcomes", "return_to_scheduled", "split_multicast", "claim"])
def test_a_failing_store_stops_the_run_and_the_next_run_finishes_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    first_response = {"record_outcomes": ACCEPTED, "split_multicast": response(400)}.get(method, response(429))
    run = Run(store)
    run.stage(4, text="the same")
    first = ScriptedLine(lambda _body, _attempt: first_response)
    with monkeypatch.context() as patched:
        patched.setattr(RequestClaims, method, fail)
        with pytest.raises((StoreError, RateLimitError)):
            run.send(first)
    second = ScriptedLine(lambda _body, _attempt: ACCEPTED)
    Run(store, "next").send(second)
    assert set(run.statuses().values()) == {"accepted"}
    ((body,),) = second.bodies.values()
    assert json.loads(body)["to"] == [line_id(number) for number in range(4)]
    assert set(first.bodies) <= set(second.bodies)


def test_the_progress_is_logged_by_a_timer_while_line_does_not_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.05)
    caplog.set_level(logging.INFO, "target-line.sending")
    run = Run(store)
    run.stage(3)
    run.send(ScriptedLine(lambda _body, _attempt: ACCEPTED, seconds=0.5), allowance=allowance_of(quota=10))
    assert any("0 of 3 messages done" in record.getMessage() for record in caplog.records)


def test_the_progress_says_what_is_done_the_rate_the_end_and_what_is_waited_for() -> None:
    now = 0.0
    activity = ClientActivity(lambda: now)
    sent = progress.SendProgress(RunReport(RejectLimit()), allowance_of(quota=10), activity, lambda: now)
    sent.add_planned(1000)
    sent.add_unsent({(MessageStatus.SKIPPED, Reason.UNFOLLOWED): 100})
    with activity.waiting_for_response("POST /v2/bot/message/push"):
        now = 20.0
        assert sent.line() == (
            "100 of 1,000 messages done, 5.0 a second, about 3 min to go, quota left 10; "
            "waiting for 1 requests POST /v2/bot/message/push without a response for up to 20 s"
        )
