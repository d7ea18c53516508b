"""The ledger and its claims: messages are staged once, claimed with a fixed request, and finished once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import pytest
from sqlalchemy import insert, select, update

from line_core.message_status import MessageStatus
from line_core.store import open_store
from line_core.store.clock import database_now
from line_core.store.tables import ledger as tables
from line_core.store.tables.rejects import rejects
from target_line.reasons import Reason
from target_line.sending.claim import claims, unfinished
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome
from target_line.sending.decide.decisions import DecidedMessage, Invalid, LineUser, Postponed, Send, Skipped
from target_line.sending.decide.frequency_cap import count_sent
from target_line.sending.ledger import Cursor, Ledger
from target_line.sending.policy import SendingPolicy
from target_line.sending.quota import count_quota_claimed
from tests.support.ledger_claims import allowance_of, claim_due, due_page, request_claims, text_content
from tests.support.people import line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from line_core.store import Store
    from target_line.sending.claim.claims import ClaimResult
    from target_line.sending.decide.decisions import Decision
    from target_line.sending.ledger import DueMessage


class Run:
    """Ledger and claims of one run."""

    def __init__(self, store: Store, name: str = "run", policy: SendingPolicy | None = None) -> None:
        self.store = store
        self.ledger = Ledger(store, "main", name)
        self.claims = request_claims(self.ledger, policy)

    def stage(self, *message_ids: str, text: str | None = None, send_at: datetime | None = None) -> int:
        """Stage messages. Each has its id as text, unless a text is given."""
        staged = []
        for message_id in message_ids:
            record = {"message_id": message_id, "id": "a", "text": text or message_id}
            record |= {"send_at": send_at.isoformat()} if send_at else {}
            staged.append(record)
        with self.store.write(lock="ledger") as connection:
            return stage_records(connection, staged, channel=self.ledger.channel, run_id=self.ledger.run_id)

    def claim(
        self, decide: Callable[[DueMessage], Decision] | None = None, max_sends: int | None = None
    ) -> ClaimResult:
        """Claim all due messages."""
        return claim_due(self.claims, self.ledger, decide or send_to_own_person, max_sends)


def send_to_own_person(due: DueMessage) -> Decision:
    """Send each message to another person."""
    person = int.from_bytes(due.message_id.encode())
    return Send(LineUser(line_id(person)), text_content(due.record["text"]))


def send_to_person_by_id(due: DueMessage) -> Decision:
    """Send the message to the person whose number is its id."""
    return Send(LineUser(line_id(int(due.message_id))), text_content(due.record["text"]))


@pytest.fixture
def run(store: Store) -> Run:
    return Run(store)


def statuses(store: Store) -> dict[str, str]:
    with store.read() as connection:
        rows = connection.execute(select(tables.messages.c.message_id, tables.messages.c.status))
        return dict(rows.all())


def test_a_message_id_is_staged_once_within_a_batch_and_across_batches(run: Run) -> None:
    assert run.stage("a", "b", "a") == 2
    assert run.stage("b", "c") == 1
    assert run.stage() == 0


def test_channels_have_separate_ledgers(store: Store, run: Run) -> None:
    run.stage("a")
    other = Ledger(store, "other", "run")
    record = {"message_id": "a", "id": "a", "text": "x"}
    with store.write() as connection:
        assert stage_records(connection, [record], channel=other.channel, run_id=other.run_id) == 1
    assert other.count_due() == run.ledger.count_due() == 1


def test_thousands_of_messages_are_staged_in_one_batch(run: Run) -> None:
    ids = [str(number) for number in range(2500)]
    assert run.stage(*ids) == 2500
    assert run.stage(*ids, "new") == 1


def test_a_claim_stores_key_and_body_and_is_made_once(store: Store, run: Run) -> None:
    run.stage("a", "b")
    claim = run.claim()
    assert len({request.retry_key for request in claim.requests}) == 2
    assert run.claim().requests == []
    run.claims.mark_attempted(claim.requests)
    again, unknown = Run(store, "later").claims.take_over_unfinished()
    assert unknown == 0
    assert {(request.retry_key, request.body) for request in again} == {
        (request.retry_key, request.body) for request in claim.requests
    }
    assert all(request.fresh for request in claim.requests)
    assert not any(request.fresh for request in again)


def test_a_message_is_due_after_send_at(store: Store, run: Run) -> None:
    run.stage("later", send_at=datetime.now(UTC) + timedelta(hours=1))
    assert not run.ledger.has_work()
    run.stage("now", send_at=datetime.now(UTC) - timedelta(hours=1))
    assert run.ledger.has_work()
    run.claim()
    assert statuses(store) == {"later": "scheduled", "now": "claimed"}


def test_messages_that_are_not_sent_are_recorded_with_their_reasons(store: Store, run: Run) -> None:
    run.stage("a", "b", "c")
    later = datetime.now(UTC) + timedelta(hours=1)
    decisions: dict[str, Decision] = {
        "a": Skipped(Reason.UNFOLLOWED, line_id(1)),
        "b": Invalid(Reason.TEMPLATE_ERROR, "no title"),
        "c": Postponed(Reason.QUIET_HOURS, later),
    }
    claim = run.claim(lambda due: decisions[due.message_id])
    assert claim.requests == []
    assert dict(claim.unsent) == {
        (MessageStatus.SKIPPED, Reason.UNFOLLOWED): 1,
        (MessageStatus.REJECTED, Reason.TEMPLATE_ERROR): 1,
        (MessageStatus.SCHEDULED, Reason.QUIET_HOURS): 1,
    }
    assert statuses(store) == {"a": "skipped", "b": "rejected", "c": "scheduled"}
    assert not run.ledger.has_work()
    assert run.ledger.counts_of_run() == {
        ("skipped", "unfollowed"): 1,
        ("rejected", "template_error"): 1,
        ("scheduled", "quiet_hours"): 1,
    }
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
    assert (reject.reason, reject.detail, reject.record["message_id"]) == ("template_error", "no title", "b")


def test_the_first_outcome_of_a_request_is_final(store: Store, run: Run) -> None:
    run.stage("a", "b")
    first, second = run.claim().requests
    run.claims.record_outcomes([RequestOutcome(first, MessageStatus.ACCEPTED, 1, "request-1")])
    run.claims.record_outcomes([RequestOutcome(first, MessageStatus.REJECTED, 1, error="too late")])
    run.claims.record_outcomes([RequestOutcome(second, MessageStatus.REJECTED, 2, error="bad image")])
    assert Counter(statuses(store).values()) == {"accepted": 1, "rejected": 1}
    assert run.claims.take_over_unfinished() == ([], 0)
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
        attempts = connection.execute(select(tables.requests.c.attempts).order_by(tables.requests.c.attempts))
        assert list(attempts.scalars()) == [1, 2]
    assert (reject.reason, reject.detail) == ("refused_by_line", "bad image")


def test_messages_whose_request_may_have_left_are_claimed_with_new_keys(store: Store, run: Run) -> None:
    run.stage("a")
    (request,) = run.claims.mark_attempted(run.claim().requests)
    run.claims.return_to_scheduled([request])
    assert statuses(store) == {"a": "scheduled"}
    assert run.claims.take_over_unfinished() == ([], 0)
    (again,) = run.claim().requests
    assert again.retry_key != request.retry_key


def test_a_run_does_not_take_over_its_own_claims(run: Run) -> None:
    run.stage("a")
    run.claim()
    assert run.claims.take_over_unfinished() == ([], 0)


def test_a_request_taken_over_by_another_run_stays_claimed(store: Store, run: Run) -> None:
    run.stage("a")
    (request,) = run.claims.mark_attempted(run.claim().requests)
    other = Run(store, "other")
    (taken,), _ = other.claims.take_over_unfinished()
    assert taken.retry_key == request.retry_key
    run.claims.return_to_scheduled([request])
    assert statuses(store) == {"a": "claimed"}
    other.claims.record_outcomes([RequestOutcome(taken, MessageStatus.ACCEPTED, 1, "request-1")])
    other.claims.return_to_scheduled([taken])
    assert statuses(store) == {"a": "accepted"}


@pytest.mark.parametrize(
    "age",
    [timedelta(hours=24), timedelta(hours=23, minutes=5), timedelta(seconds=-30), timedelta(days=-3)],
    ids=["expired", "expired but for the skew of two clocks", "the clock was set back", "by days"],
)
def test_a_claim_without_a_known_living_key_becomes_unknown_and_is_not_sent_again(
    store: Store, run: Run, age: timedelta
) -> None:
    run.stage("a", "b", text="the same")
    run.claims.mark_attempted(run.claim().requests)
    with store.write() as connection:
        connection.execute(update(tables.requests).values(claimed_at=database_now(connection) - age))
    assert Run(store, "later").claims.take_over_unfinished() == ([], 2)
    assert statuses(store) == {"a": "unknown", "b": "unknown"}
    assert run.claim().requests == []


def test_the_age_of_a_claim_does_not_depend_on_the_clock_of_the_machine(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) - timedelta(hours=2)

    monkeypatch.setattr(claims, "datetime", SlowClock)
    monkeypatch.setattr(unfinished, "datetime", SlowClock)
    with open_store(postgres_url) as store:
        run = Run(store)
        run.stage("a")
        run.claims.mark_attempted(run.claim().requests)
        with store.read() as connection:
            age = database_now(connection) - connection.execute(select(tables.requests.c.claimed_at)).scalar_one()
        assert timedelta(0) <= age < timedelta(hours=1)


def test_claims_that_were_never_attempted_are_decided_again_by_the_next_run(store: Store, run: Run) -> None:
    run.stage("a", "b", "c")
    requests = run.claim().requests
    run.claims.mark_attempted(requests[:1])
    with store.write() as connection:
        connection.execute(update(tables.requests).values(claimed_at=datetime.now(UTC) - timedelta(days=2)))
    later = Run(store, "later")
    assert later.claims.release_never_attempted() == 2
    assert Counter(statuses(store).values()) == {"claimed": 1, "scheduled": 2}
    assert len(later.claim().requests) == 2
    assert later.claims.take_over_unfinished() == ([], 1)


def test_a_run_does_not_send_claims_that_another_run_has_released(store: Store, run: Run) -> None:
    run.stage("a", "b")
    first, second = run.claim().requests
    (marked,) = run.claims.mark_attempted([first])
    assert not marked.never_attempted
    other = Run(store, "other")
    assert other.claims.release_never_attempted() == 1
    assert run.claims.mark_attempted([second]) == []
    assert Counter(statuses(store).values()) == {"claimed": 1, "scheduled": 1}


def test_a_run_does_not_release_its_own_claims(run: Run) -> None:
    run.stage("a")
    run.claim()
    assert run.claims.release_never_attempted() == 0


def test_a_request_of_an_earlier_version_counts_as_attempted(store: Store, run: Run) -> None:
    run.stage("a")
    row = {"retry_key": "k", "channel": "main", "method": "push", "body": "{}", "recipients": 1, "status": "claimed"}
    with store.write() as connection:
        row |= {"claimed_by": "old", "claimed_at": database_now(connection)}
        connection.execute(insert(tables.requests).values(row))
        connection.execute(update(tables.messages).values(status="claimed", retry_key="k"))
    assert run.claims.release_never_attempted() == 0
    (taken,), _ = run.claims.take_over_unfinished()
    assert taken.retry_key == "k"


def test_a_request_with_an_expired_message_is_not_sent_again(store: Store, run: Run) -> None:
    run.stage("a")
    run.claims.mark_attempted(run.claim().requests)
    with store.write() as connection:
        connection.execute(update(tables.messages).values(expires_at=datetime.now(UTC) - timedelta(minutes=1)))
    assert Run(store, "later").claims.take_over_unfinished() == ([], 0)
    assert statuses(store) == {"a": "claimed"}


def test_a_message_set_aside_is_due_later_and_rejected_after_a_day(store: Store, run: Run) -> None:
    run.stage("a")
    since = datetime.now(UTC) - timedelta(hours=25)
    for tries in (1, 2):
        (request,) = run.claims.mark_attempted(run.claim().requests)
        run.claims.set_aside([request], "too many messages")
        assert statuses(store) == {"a": "scheduled"}
        assert not run.ledger.has_work()
        with store.write() as connection:
            row = connection.execute(select(tables.messages)).one()
            assert (row.set_aside_count, row.reason) == (tries, "set_aside")
            assert "too many messages" in row.detail
            new = {"due_at": since, **({"set_aside_since": since} if tries == 2 else {})}
            connection.execute(update(tables.messages).values(new))
    (request,) = run.claims.mark_attempted(run.claim().requests)
    run.claims.set_aside([request], "too many messages")
    assert statuses(store) == {"a": "rejected"}
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
    assert reject.reason == "refused_by_line"
    assert "429 in 3 runs since" in reject.detail


def test_equal_content_is_sent_in_full_multicasts_across_pages(run: Run) -> None:
    ids = [str(number) for number in range(1200)]
    run.stage(*ids[:700], text="the same")
    run.stage("5000", "5001")
    run.stage(*ids[700:], text="the same")
    requests: list[ClaimedRequest] = []
    carried_over: list[DecidedMessage] = []
    after, is_last = Cursor(), False
    while not is_last:
        page = due_page(run.ledger, send_to_person_by_id, after, 700)
        after, is_last = page.messages[-1].due.cursor, page.is_last
        claim = run.claims.claim(page.after(carried_over), allowance_of())
        requests += claim.requests
        carried_over = claim.carried_over
    assert Counter((request.method, request.messages) for request in requests) == {
        ("multicast", 500): 2,
        ("multicast", 200): 1,
        ("push", 1): 2,
    }
    assert run.ledger.count_due() == 0


def test_messages_claimed_by_another_run_since_the_read_are_left_out(run: Run) -> None:
    run.stage(*map(str, range(600)), text="the same")
    page = due_page(run.ledger, send_to_person_by_id)
    run.claims.claim(replace(page, messages=page.messages[100:300]), allowance_of())
    claim = run.claims.claim(page, allowance_of())
    assert [request.messages for request in claim.requests] == [400]
    assert run.ledger.count_due() == 0


def test_messages_above_the_allowance_stay_scheduled(store: Store, run: Run) -> None:
    run.stage("1", "2", "3", text="the same")
    claim = run.claim(send_to_person_by_id, max_sends=2)
    assert claim.limit_reached
    assert [request.messages for request in claim.requests] == [2]
    assert Counter(statuses(store).values()) == {"claimed": 2, "scheduled": 1}
    assert not run.claim(send_to_person_by_id, max_sends=1).limit_reached


def test_a_rejected_multicast_is_split_into_two_requests_with_new_keys(store: Store, run: Run) -> None:
    run.stage("1", "2", "3", text="the same")
    (request,) = run.claim(send_to_person_by_id).requests
    push, multicast = run.claims.split_multicast(request, "The property, to[0], is invalid")
    assert (push.method, multicast.method) == ("push", "multicast")
    addressed = [json.loads(push.body)["to"], *json.loads(multicast.body)["to"]]
    assert addressed == json.loads(request.body)["to"]
    assert len({request.retry_key, push.retry_key, multicast.retry_key}) == 3
    assert set(statuses(store).values()) == {"claimed"}
    assert run.claims.split_multicast(request, "again") == [], "it is already rejected"
    assert run.claims.split_multicast(push, "one recipient") == []
    again, _ = Run(store, "later").claims.take_over_unfinished()
    assert {item.retry_key for item in again} == {push.retry_key, multicast.retry_key}
    run.claims.record_outcomes(
        [
            RequestOutcome(push, MessageStatus.REJECTED, 1, error="no"),
            RequestOutcome(multicast, MessageStatus.ACCEPTED, 1, "r"),
        ]
    )
    assert Counter(statuses(store).values()) == {"rejected": 1, "accepted": 2}


def test_a_multicast_to_test_recipients_is_not_split(store: Store) -> None:
    run = Run(store, policy=SendingPolicy(test_recipients=(line_id(7), line_id(8)), test_samples=3))
    run.stage("1", "2", "3", text="the same")
    (request,) = run.claim(send_to_person_by_id).requests
    assert (request.messages, json.loads(request.body)["to"]) == (3, [line_id(7), line_id(8)])
    assert run.claims.split_multicast(request, "no") == []
    run.claims.record_outcomes([RequestOutcome(request, MessageStatus.ACCEPTED, 1, "r")])
    assert run.ledger.counts_of_run() == {("accepted", "test_recipients"): 3}


def test_claims_count_for_quota_and_cap_until_line_rejects_them(store: Store, run: Run) -> None:
    before = datetime.now(UTC)
    run.stage("1", "2", text="the same")
    run.stage("3")
    requests = run.claim(send_to_person_by_id).requests
    one, three = line_id(1), line_id(3)

    def figures(since: datetime) -> tuple[int, Counter[str]]:
        with store.read() as connection:
            spent = count_quota_claimed(connection, "main", since)
            return spent, count_sent(connection, "main", [one, three], since)

    assert figures(before) == (3, Counter({one: 1, three: 1}))
    assert figures(datetime.now(UTC)) == (3, Counter()), "LINE may not have counted a claimed request"
    push = next(request for request in requests if request.method == "push")
    run.claims.record_outcomes([RequestOutcome(push, MessageStatus.REJECTED, 1, error="no")])
    assert figures(before) == (2, Counter({one: 1}))
