"""The ledger and its claims: staged once, claimed with a fixed request, finished once."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from line_core.message_status import MessageStatus
from line_core.store.tables import ledger as tables
from line_core.store.tables.rejects import rejects
from target_line.reasons import Reason
from target_line.sending.claim.claims import RequestClaims
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome
from target_line.sending.claim.quota import spent_since
from target_line.sending.decide.decider import Decided, sent_to
from target_line.sending.decide.rules import Invalid, Postponed, Send, Skipped, User
from target_line.sending.ledger import Cursor, Ledger, MessageToStage
from target_line.sending.policy import SendingPolicy
from target_line.sending.read.message import parse_message
from tests.support.people import line_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from line_core.store import Store
    from target_line.sending.claim.claims import Allow, Claimed
    from target_line.sending.decide.rules import Decision
    from target_line.sending.ledger import Due


class Run:
    """One run's view of the ledger."""

    def __init__(self, store: Store, name: str = "run", policy: SendingPolicy | None = None) -> None:
        self.store = store
        self.ledger = Ledger(store, "main", name)
        self.claims = RequestClaims(store, "main", name, self.ledger, policy or SendingPolicy())

    def stage(self, *message_ids: str, text: str | None = None, send_at: datetime | None = None) -> int:
        """Stage messages; each its own person's, by its number, and its own text, unless one is given."""
        staged = []
        for message_id in message_ids:
            record = {"message_id": message_id, "id": "a", "text": text or message_id}
            record |= {"send_at": send_at.isoformat()} if send_at else {}
            staged.append(MessageToStage(parse_message(record, "default"), record))
        with self.store.write(lock="ledger") as connection:
            return self.ledger.stage(connection, staged)

    def due(self, decide: Callable[[Sequence[Due]], Sequence[Decision]], after: Cursor, limit: int) -> list[Decided]:
        """A page of what is due, decided."""
        due = self.ledger.due(after, limit)
        return [Decided(item, decision) for item, decision in zip(due, decide(due), strict=True)]

    def claim(
        self, decide: Callable[[Sequence[Due]], Sequence[Decision]] | None = None, allow: Allow | None = None
    ) -> Claimed:
        """Claim all that is due, without bounds but for those given."""
        page = self.due(decide or send_each, Cursor(), 5000)
        return self.claims.claim(page, is_last=True, cap=uncapped, allow=allow or unbounded)


def unbounded(_: Connection) -> None:
    return None


def uncapped(_: Connection, decisions: Sequence[Decision]) -> Sequence[Decision]:
    return decisions


def send_each(due: Sequence[Due]) -> list[Decision]:
    """Each message to a person of its own."""
    return [
        Send(User(line_id(place)), f'"messages":{json.dumps([{"type": "text", "text": item.record["text"]}])}')
        for place, item in enumerate(due)
    ]


def send_to_person_in_id(due: Sequence[Due]) -> list[Decision]:
    """Each message to the person whose number is its id."""
    return [Send(User(line_id(int(item.message_id))), f'"messages":["{item.record["text"]}"]') for item in due]


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


def test_channels_have_ledgers_of_their_own(store: Store, run: Run) -> None:
    run.stage("a")
    other = Ledger(store, "other", "run")
    record = {"message_id": "a", "id": "a", "text": "x"}
    with store.write() as connection:
        assert other.stage(connection, [MessageToStage(parse_message(record, "default"), record)]) == 1
    assert other.count_due() == run.ledger.count_due() == 1


def test_more_messages_than_a_statement_takes_are_staged_whole(run: Run) -> None:
    ids = [str(number) for number in range(2500)]
    assert run.stage(*ids) == 2500
    assert run.stage(*ids, "new") == 1


def test_a_claim_fixes_key_and_body_and_is_not_given_out_twice(store: Store, run: Run) -> None:
    run.stage("a", "b")
    claim = run.claim()
    assert len({request.retry_key for request in claim.requests}) == 2
    assert run.claim().requests == []
    again, unknown = Run(store, "later").claims.unfinished()
    assert unknown == 0
    assert {(request.retry_key, request.body) for request in again} == {
        (request.retry_key, request.body) for request in claim.requests
    }
    assert all(request.fresh for request in claim.requests)
    assert not any(request.fresh for request in again)


def test_a_message_is_due_when_its_time_has_come(store: Store, run: Run) -> None:
    run.stage("later", send_at=datetime.now(UTC) + timedelta(hours=1))
    assert not run.ledger.has_work()
    run.stage("now", send_at=datetime.now(UTC) - timedelta(hours=1))
    assert run.ledger.has_work()
    run.claim()
    assert statuses(store) == {"later": "scheduled", "now": "claimed"}


def test_what_is_not_sent_is_settled_with_its_reason_and_refusals_are_kept_whole(store: Store, run: Run) -> None:
    run.stage("a", "b", "c")
    later = datetime.now(UTC) + timedelta(hours=1)
    decisions: dict[str, Decision] = {
        "a": Skipped(Reason.UNFOLLOWED, line_id(1)),
        "b": Invalid(Reason.TEMPLATE_ERROR, "no title"),
        "c": Postponed(Reason.QUIET_HOURS, later),
    }
    claim = run.claim(lambda due: [decisions[item.message_id] for item in due])
    assert claim.requests == []
    assert dict(claim.settled) == {
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


def test_results_end_messages_and_only_once(store: Store, run: Run) -> None:
    run.stage("a", "b")
    first, second = run.claim().requests
    run.claims.finish([RequestOutcome(first, MessageStatus.ACCEPTED, 1, "request-1")])
    run.claims.finish([RequestOutcome(first, MessageStatus.REJECTED, 1, error="too late")])
    run.claims.finish([RequestOutcome(second, MessageStatus.REJECTED, 2, error="bad image")])
    assert Counter(statuses(store).values()) == {"accepted": 1, "rejected": 1}
    assert run.claims.unfinished() == ([], 0)
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
        attempts = connection.execute(select(tables.requests.c.attempts).order_by(tables.requests.c.attempts))
        assert list(attempts.scalars()) == [1, 2]
    assert (reject.reason, reject.detail) == ("refused_by_line", "bad image")


def test_released_messages_are_claimed_again_under_other_keys(store: Store, run: Run) -> None:
    run.stage("a")
    (request,) = run.claim().requests
    run.claims.release([request])
    assert statuses(store) == {"a": "scheduled"}
    assert run.claims.unfinished() == ([], 0)
    (again,) = run.claim().requests
    assert again.retry_key != request.retry_key


def test_a_run_s_own_claims_are_not_unfinished_to_it(run: Run) -> None:
    run.stage("a")
    run.claim()
    assert run.claims.unfinished() == ([], 0)


def test_what_another_run_took_over_is_not_released(store: Store, run: Run) -> None:
    run.stage("a")
    (request,) = run.claim().requests
    other = Run(store, "other")
    (taken,), _ = other.claims.unfinished()
    assert taken.retry_key == request.retry_key
    run.claims.release([request])
    assert statuses(store) == {"a": "claimed"}
    other.claims.finish([RequestOutcome(taken, MessageStatus.ACCEPTED, 1, "request-1")])
    other.claims.release([taken])
    assert statuses(store) == {"a": "accepted"}


def test_a_claim_whose_key_line_has_forgotten_becomes_unknown_and_is_never_sent_again(store: Store, run: Run) -> None:
    run.stage("a", "b", text="the same")
    run.claim()
    with store.write() as connection:
        connection.execute(update(tables.requests).values(claimed_at=datetime.now(UTC) - timedelta(hours=24)))
    assert Run(store, "later").claims.unfinished() == ([], 2)
    assert statuses(store) == {"a": "unknown", "b": "unknown"}
    assert run.claim().requests == []


def test_the_same_content_goes_by_multicast_in_full_chunks_however_it_came(run: Run) -> None:
    ids = [str(number) for number in range(1200)]
    run.stage(*ids[:700], text="the same")
    run.stage("5000", "5001")
    run.stage(*ids[700:], text="the same")
    requests: list[ClaimedRequest] = []
    rest: list[Decided] = []
    after, is_last = Cursor(), False
    while not is_last:
        page = run.due(send_to_person_in_id, after, 700)
        after, is_last = page[-1].due.cursor, len(page) < 700
        claim = run.claims.claim(rest + page, is_last=is_last, cap=uncapped, allow=unbounded)
        requests += claim.requests
        rest = claim.rest
    assert Counter((request.method, request.messages) for request in requests) == {
        ("multicast", 500): 2,
        ("multicast", 200): 1,
        ("push", 1): 2,
    }
    assert run.ledger.count_due() == 0


def test_what_somebody_else_claimed_since_it_was_read_is_not_claimed_again(run: Run) -> None:
    run.stage(*map(str, range(600)), text="the same")
    page = run.due(send_to_person_in_id, Cursor(), 5000)
    run.claims.claim(page[100:300], is_last=True, cap=uncapped, allow=unbounded)
    claim = run.claims.claim(page, is_last=True, cap=uncapped, allow=unbounded)
    assert [request.messages for request in claim.requests] == [400]
    assert run.ledger.count_due() == 0


def test_an_allowance_leaves_the_rest_scheduled(store: Store, run: Run) -> None:
    run.stage("1", "2", "3", text="the same")
    claim = run.claim(send_to_person_in_id, lambda _: 2)
    assert claim.allowance_spent
    assert [request.messages for request in claim.requests] == [2]
    assert Counter(statuses(store).values()) == {"claimed": 2, "scheduled": 1}
    assert not run.claim(send_to_person_in_id, lambda _: 1).allowance_spent


def test_a_refused_multicast_is_divided_and_each_half_has_a_key_of_its_own(store: Store, run: Run) -> None:
    run.stage("1", "2", "3", text="the same")
    (request,) = run.claim(send_to_person_in_id).requests
    push, multicast = run.claims.split(request, "The property, to[0], is invalid")
    assert (push.method, multicast.method) == ("push", "multicast")
    addressed = [json.loads(push.body)["to"], *json.loads(multicast.body)["to"]]
    assert addressed == json.loads(request.body)["to"]
    assert len({request.retry_key, push.retry_key, multicast.retry_key}) == 3
    assert set(statuses(store).values()) == {"claimed"}
    assert run.claims.split(request, "again") == [], "it was refused already"
    assert run.claims.split(push, "one cannot be divided") == []
    again, _ = Run(store, "later").claims.unfinished()
    assert {item.retry_key for item in again} == {push.retry_key, multicast.retry_key}
    run.claims.finish(
        [
            RequestOutcome(push, MessageStatus.REJECTED, 1, error="no"),
            RequestOutcome(multicast, MessageStatus.ACCEPTED, 1, "r"),
        ]
    )
    assert Counter(statuses(store).values()) == {"rejected": 1, "accepted": 2}


def test_what_goes_to_testers_is_not_divided(store: Store) -> None:
    run = Run(store, policy=SendingPolicy(test_recipients=(line_id(7), line_id(8))))
    run.stage("1", "2", "3", text="the same")
    (request,) = run.claim(send_to_person_in_id).requests
    assert (request.messages, json.loads(request.body)["to"]) == (3, [line_id(7), line_id(8)])
    assert run.claims.split(request, "no") == []
    run.claims.finish([RequestOutcome(request, MessageStatus.ACCEPTED, 1, "r")])
    assert run.ledger.counts_of_run() == {("accepted", "test_recipients"): 3}


def test_what_was_claimed_counts_against_quota_and_caps_until_line_refuses_it(store: Store, run: Run) -> None:
    before = datetime.now(UTC)
    run.stage("1", "2", text="the same")
    run.stage("3")
    requests = run.claim(send_to_person_in_id).requests
    one, three = line_id(1), line_id(3)

    def figures(since: datetime) -> tuple[int, Counter[str]]:
        with store.read() as connection:
            spent = spent_since(connection, "main", since)
            return spent, sent_to(connection, "main", [one, three], since)

    assert figures(before) == (3, Counter({one: 1, three: 1}))
    assert figures(datetime.now(UTC)) == (3, Counter()), "what is unfinished LINE may not have counted"
    push = next(request for request in requests if request.method == "push")
    run.claims.finish([RequestOutcome(push, MessageStatus.REJECTED, 1, error="no")])
    assert figures(before) == (2, Counter({one: 1}))


def test_what_line_would_refuse_is_rejected_before_it_is_sent(store: Store, run: Run) -> None:
    run.stage("a", "b")
    run.claims.refuse(["a"], "messages[0].text: no")
    assert statuses(store) == {"a": "rejected", "b": "scheduled"}
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
    assert (reject.reason, reject.detail) == ("refused_by_line", "messages[0].text: no")
