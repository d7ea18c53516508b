"""The ledger: staged once, claimed with a fixed request, finished once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from line_core.store.tables import ledger as tables
from line_core.store.tables.rejects import rejects
from target_line.reasons import Reason
from target_line.sending.compose import Decision, Push, Skipped, Unsendable
from target_line.sending.ledger import Ledger, Result, Scheduled, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from line_core.store import Store


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, "main")


def stage(store: Store, ledger: Ledger, *message_ids: str, send_at: datetime | None = None) -> int:
    messages = [Scheduled(message_id, send_at, {"message_id": message_id}) for message_id in message_ids]
    with store.write(alone="ledger") as connection:
        return ledger.stage(connection, messages)


def push_all(records: Sequence[Mapping[str, Any]]) -> list[Decision]:
    return [Push("U1", f'{{"to":"{record["message_id"]}"}}') for record in records]


def statuses(store: Store) -> dict[str, str]:
    with store.read() as connection:
        rows = connection.execute(select(tables.messages.c.message_id, tables.messages.c.status)).tuples()
        return dict(rows.all())


def test_a_message_id_is_staged_once_within_a_batch_and_across_batches(store: Store, ledger: Ledger) -> None:
    assert stage(store, ledger, "a", "b", "a") == 2
    assert stage(store, ledger, "b", "c") == 1
    assert stage(store, ledger) == 0


def test_channels_have_ledgers_of_their_own(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a")
    assert stage(store, Ledger(store, "other"), "a") == 1


def test_more_messages_than_a_statement_takes_are_staged_whole(store: Store, ledger: Ledger) -> None:
    ids = [str(number) for number in range(2500)]
    assert stage(store, ledger, *ids) == 2500
    assert stage(store, ledger, *ids, "new") == 1


def test_a_claim_fixes_key_and_body_and_is_not_given_out_twice(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a", "b")
    claim = ledger.claim(10, push_all)
    assert [request.body for request in claim.requests] == ['{"to":"a"}', '{"to":"b"}']
    assert len({request.retry_key for request in claim.requests}) == 2
    assert ledger.claim(10, push_all).due == 0
    again = Ledger(store, "main").unfinished()
    assert [(request.retry_key, request.body) for request in again] == [
        (request.retry_key, request.body) for request in claim.requests
    ]
    assert not any(request.fresh for request in again)


def test_a_message_is_due_when_its_time_has_come(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "later", send_at=datetime.now(UTC) + timedelta(hours=1))
    stage(store, ledger, "now", send_at=datetime.now(UTC) - timedelta(hours=1))
    assert [request.body for request in ledger.claim(10, push_all).requests] == ['{"to":"now"}']


def test_what_is_not_sent_is_settled_with_its_reason_and_refusals_are_kept_whole(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a", "b")
    claim = ledger.claim(10, lambda _: [Skipped(Reason.UNFOLLOWED), Unsendable(Reason.TEMPLATE_ERROR, "no title")])
    assert claim.requests == []
    assert dict(claim.settled) == {
        (Status.SKIPPED, Reason.UNFOLLOWED): 1,
        (Status.REJECTED, Reason.TEMPLATE_ERROR): 1,
    }
    assert statuses(store) == {"a": "skipped", "b": "rejected"}
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
    assert (reject.reason, reject.detail, reject.record) == ("template_error", "no title", {"message_id": "b"})


def test_results_end_messages_and_only_once(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a", "b")
    first, second = ledger.claim(10, push_all).requests
    ledger.finish([Result(first.retry_key, Status.ACCEPTED, 1, "request-1")])
    ledger.finish([Result(first.retry_key, Status.REJECTED, 1, error="too late")])
    ledger.finish([Result(second.retry_key, Status.REJECTED, 2, error="bad image")])
    assert statuses(store) == {"a": "accepted", "b": "rejected"}
    assert ledger.unfinished() == []
    with store.read() as connection:
        (reject,) = connection.execute(select(rejects)).all()
    assert (reject.reason, reject.detail) == ("refused_by_line", "bad image")


def test_released_messages_are_claimed_again_under_other_keys(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a")
    (request,) = ledger.claim(10, push_all).requests
    ledger.release([request.retry_key])
    assert statuses(store) == {"a": "scheduled"}
    assert ledger.unfinished() == []
    (again,) = ledger.claim(10, push_all).requests
    assert again.retry_key != request.retry_key


def test_a_run_s_own_claims_are_not_unfinished_to_it(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a")
    ledger.claim(10, push_all)
    assert ledger.unfinished() == []


def test_what_another_run_took_over_is_not_released(store: Store, ledger: Ledger) -> None:
    stage(store, ledger, "a")
    (request,) = ledger.claim(10, push_all).requests
    other = Ledger(store, "main")
    assert [taken.retry_key for taken in other.unfinished()] == [request.retry_key]
    ledger.release([request.retry_key])
    assert statuses(store) == {"a": "claimed"}
    other.finish([Result(request.retry_key, Status.ACCEPTED, 1, "request-1")])
    other.release([request.retry_key])
    assert statuses(store) == {"a": "accepted"}


def test_a_claim_whose_key_line_has_forgotten_becomes_unknown_and_is_never_sent_again(
    store: Store,
    ledger: Ledger,
) -> None:
    stage(store, ledger, "a")
    ledger.claim(10, push_all)
    with store.write() as connection:
        connection.execute(update(tables.requests).values(claimed_at=datetime.now(UTC) - timedelta(hours=24)))
    assert Ledger(store, "main").unfinished() == []
    assert statuses(store) == {"a": "unknown"}
    assert ledger.claim(10, push_all).due == 0
