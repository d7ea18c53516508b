"""Messages that a run has claimed and certainly not sent can be corrected and withdrawn."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from line_core.message_status import MessageStatus
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import RequestOutcome
from target_line.sending.decide.decisions import LineUser, Send
from target_line.sending.ledger import Ledger
from target_line.sending.read.cancellation import Cancellation
from target_line.sending.read.message import parse_message
from target_line.sending.staging import MessageToStage, Staged, Staging
from tests.support import programs
from tests.support.ledger_claims import claim_due, request_claims, text_content
from tests.support.people import line_id

if TYPE_CHECKING:
    from line_core.store import Store
    from target_line.sending.claim.claims import RequestClaims
    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.ledger import DueMessage
    from tests.support.target_program import TargetProgram


def send_to_own_person(due: DueMessage) -> Send:
    return Send(LineUser(line_id(int.from_bytes(due.message_id.encode()))), text_content(due.record["text"]))


def stage(store: Store, texts: dict[str, str], *, replaces: bool = True) -> Staged:
    records = [
        {"message_id": message_id, "line_id": line_id(1), "text": text, "campaign": "spring"}
        for message_id, text in texts.items()
    ]
    staged = [MessageToStage(parse_message(record, "default"), record) for record in records]
    with store.write(lock="ledger") as connection:
        return Staging("main", "other", replaces=replaces).stage(connection, staged)


def cancel(store: Store, message_id: str) -> Staged:
    with store.write(lock="ledger") as connection:
        return Staging("main", "other").cancel(connection, [Cancellation(message_id=message_id)])


def statuses(store: Store) -> dict[str, str]:
    messages = tables.messages.c
    with store.read() as connection:
        return dict(connection.execute(select(messages.message_id, messages.status)).all())


@pytest.fixture
def claims(store: Store) -> RequestClaims:
    return request_claims(Ledger(store, "main", "run"))


def claim(store: Store, claims: RequestClaims) -> list[ClaimedRequest]:
    return claim_due(claims, Ledger(store, "main", "run"), send_to_own_person).requests


def test_a_message_of_a_request_that_was_not_sent_is_withdrawn_and_the_others_are_sent(
    store: Store, claims: RequestClaims
) -> None:
    stage(store, {"a": "same", "b": "same", "c": "other"})
    requests = claim(store, claims)
    assert cancel(store, "a") == Staged(cancelled=1)
    assert statuses(store) == {"a": "skipped", "b": "scheduled", "c": "claimed"}
    (marked,) = claims.mark_attempted(requests)
    assert marked.messages == 1
    (again,) = claim(store, claims)
    assert line_id(ord("b")) in again.body


def test_a_message_that_may_have_left_is_not_withdrawn(store: Store, claims: RequestClaims) -> None:
    stage(store, {"a": "text"})
    requests = claims.mark_attempted(claim(store, claims))
    assert [refusal.reason for refusal in cancel(store, "a").refusals] == [Reason.ALREADY_SENT]
    assert [refusal.reason for refusal in stage(store, {"a": "new"}).refusals] == [Reason.ALREADY_SENT_DIFFERENTLY]
    claims.record_outcomes([RequestOutcome(request, MessageStatus.ACCEPTED, 1) for request in requests])
    assert statuses(store) == {"a": "accepted"}


def test_a_campaign_is_withdrawn_without_what_may_have_left(store: Store, claims: RequestClaims) -> None:
    stage(store, {"a": "x", "b": "y", "c": "z"})
    requests = claim(store, claims)
    (marked,) = claims.mark_attempted(requests[:1])
    ledger = Ledger(store, "main", "other")
    with store.write(lock="ledger") as connection:
        Staging("main", "other").cancel(connection, [Cancellation(campaign="spring")])
    assert ledger.withdraw_cancelled_campaigns() == 2
    assert ledger.count_claimed(["spring"]) == 1
    assert Counter(statuses(store).values()) == {"skipped": 2, "claimed": 1}
    assert claims.mark_attempted([marked, *requests[1:]]) == [marked]


@pytest.mark.parametrize("replaces", [True, False])
def test_a_correction_reaches_a_request_that_was_not_sent(
    store: Store, claims: RequestClaims, *, replaces: bool
) -> None:
    stage(store, {"a": "typo"})
    requests = claim(store, claims)
    assert stage(store, {"a": "typo"}) == Staged()
    corrected = stage(store, {"a": "right"}, replaces=replaces)
    assert len(corrected.refusals) == int(not replaces)
    assert len(claims.mark_attempted(requests)) == int(not replaces)
    if replaces:
        (again,) = claim(store, claims)
        assert "right" in again.body


@pytest.mark.timeout(120)
def test_a_running_process_does_not_send_what_is_withdrawn(target: TargetProgram, store: Store) -> None:
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": person, "text": f"{number}", "campaign": "spring"})
        for number, person in enumerate(target.line_ids(60))
    ]
    records.append(("messages", {"message_id": "other", "line_id": records[0][1]["line_id"], "text": "other"}))
    run = target.start(*records, max_requests_per_second=3)
    while "accepted" not in statuses(store).values():
        time.sleep(0.05)
    done = programs.run(
        "target-line-admin", "--store-url", target.config["store_url"], "cancel", "--campaign", "spring"
    )
    withdrawn = {message_id for message_id, status in statuses(store).items() if status == "skipped"}
    assert done.stdout == f"{len(withdrawn)} messages of the campaigns are withdrawn\n"
    _, log = run.communicate(timeout=60)
    assert run.returncode == 0, log
    texts = Counter(delivery["messages"][0]["text"] for delivery in target.deliveries())
    assert texts == Counter(record["text"] for _, record in records if record["message_id"] not in withdrawn)
    assert len(withdrawn) > 30
    assert set(statuses(store).values()) == {"accepted", "skipped"}
    if being_sent := re.match(r"(\d+) messages of the campaigns are being sent", done.stderr):
        assert int(being_sent[1]) <= 3
