"""Staging: new, changed and cancelled message records, in any order and any batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from line_core.store import open_store
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason
from target_line.sending.ledger import Cursor, Ledger
from target_line.sending.read.cancellation import Cancellation, cancellation_in_message
from target_line.sending.read.message import parse_message
from target_line.sending.staging import MessageToStage, Staged, Staging
from tests.support.people import line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from line_core.store import Store


def record(message_id: str = "m", text: str = "first", **columns: Any) -> dict[str, Any]:
    return {"message_id": message_id, "line_id": line_id(1), "text": text, **columns}


def parse(stored: Mapping[str, Any]) -> Any:
    return parse_message(stored, "default")


def stage(store: Store, *records: dict[str, Any], run_id: str = "run", replaces: bool = True) -> Staged:
    with store.write(lock="ledger") as connection:
        staged = [MessageToStage(parse(item), item) for item in records]
        return Staging("main", run_id, replaces=replaces).stage(connection, staged, parse)


def cancel(store: Store, *message_ids: str, campaign: str | None = None) -> Staged:
    cancellations = [Cancellation(message_id=message_id) for message_id in message_ids]
    if campaign:
        cancellations.append(Cancellation(campaign=campaign))
    with store.write(lock="ledger") as connection:
        return Staging("main", "run").cancel(connection, cancellations)


def set_status(store: Store, message_id: str, status: str, reason: str | None = None) -> None:
    table = tables.messages
    with store.write() as connection:
        statement = update(table).where(table.c.message_id == message_id).values(status=status, reason=reason)
        assert connection.execute(statement).rowcount == 1


def rows(store: Store) -> dict[str, tuple[str, str | None, Any]]:
    table = tables.messages.c
    with store.read() as connection:
        query = select(table.message_id, table.status, table.reason, table.record)
        return {row.message_id: (row.status, row.reason, row.record.get("text")) for row in connection.execute(query)}


@pytest.mark.parametrize("status", ["scheduled", "rejected", "skipped"])
@pytest.mark.parametrize(
    "change",
    [
        {"text": "second"},
        {"line_id": line_id(2)},
        {"send_at": "2099-01-01T00:00:00Z"},
        {"expires_at": "2099-01-01T00:00:00Z"},
        {"campaign": "spring"},
        {"transactional": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_record_replaces_a_message_that_was_not_sent(
    store: Store, status: str, change: dict[str, Any]
) -> None:
    stage(store, record())
    set_status(store, "m", status, None if status == "scheduled" else "expired")
    assert stage(store, record(**change), run_id="later") == Staged(new=1)
    assert rows(store) == {"m": ("scheduled", None, change.get("text", "first"))}
    due = Ledger(store, "main", "later").read_due(Cursor(), 10)
    assert [item.record for item in due] == ([] if "send_at" in change else [record(**change)])


@pytest.mark.parametrize("status", ["claimed", "accepted", "unknown"])
def test_a_message_that_may_be_sent_is_not_replaced(store: Store, status: str) -> None:
    stage(store, record())
    set_status(store, "m", status)
    staged = stage(store, record(text="second"))
    assert rows(store) == {"m": (status, None, "first")}
    (refusal,) = staged.refusals
    assert (staged.new, refusal.reason) == (0, Reason.ALREADY_SENT_DIFFERENTLY)
    assert '"text": "first"' in refusal.detail
    assert '"text": "second"' in refusal.detail


def test_a_setting_forbids_replacing(store: Store) -> None:
    stage(store, record())
    (refusal,) = stage(store, record(text="second"), replaces=False).refusals
    assert refusal.reason is Reason.ALREADY_SCHEDULED
    assert rows(store) == {"m": ("scheduled", None, "first")}


@pytest.mark.parametrize(
    "same",
    [
        {"created_at": "2026-01-01"},
        {"line_id": f" {line_id(1)} "},
        {"loaded_at": "2026-01-01", "campaign": ""},
        {"notification_disabled": 0},
        {"messages": '[{"type": "text", "text": "first"}]', "text": None},
    ],
    ids=str,
)
def test_a_record_that_means_the_same_changes_nothing(store: Store, same: dict[str, Any]) -> None:
    stage(store, record())
    for status in ("scheduled", "accepted"):
        set_status(store, "m", status)
        assert stage(store, record(**same), run_id="later") == Staged()
        assert rows(store) == {"m": (status, None, "first")}


def test_of_several_records_in_a_batch_the_last_is_used(store: Store) -> None:
    assert stage(store, record(), record("n"), record(text="second")) == Staged(new=2)
    assert rows(store)["m"] == ("scheduled", None, "second")


def test_a_message_replaced_by_the_run_that_added_it_is_counted_once(store: Store) -> None:
    assert stage(store, record()).new == 1
    assert stage(store, record(text="second")).new == 0
    assert Ledger(store, "main", "run").counts_of_run() == {("scheduled", None): 1}


@pytest.mark.parametrize("first", ["message", "cancellation"])
def test_a_cancelled_message_is_not_sent_in_any_order(store: Store, first: str) -> None:
    if first == "message":
        stage(store, record())
    assert cancel(store, "m") == Staged(cancelled=1)
    for text in ("first", "second"):
        assert stage(store, record(text=text)).refusals == []
    assert cancel(store, "m") == Staged(cancelled=1)
    assert rows(store)["m"][:2] == ("skipped", "cancelled")
    assert not Ledger(store, "main", "run").has_work()


@pytest.mark.parametrize("status", ["claimed", "accepted", "unknown"])
def test_a_message_that_may_be_sent_cannot_be_cancelled(store: Store, status: str) -> None:
    stage(store, record())
    set_status(store, "m", status)
    result = cancel(store, "m")
    assert [refusal.reason for refusal in result.refusals] == [Reason.ALREADY_SENT]
    assert result.cancelled == 0
    assert rows(store) == {"m": (status, None, "first")}


def test_the_scheduled_messages_of_a_cancelled_campaign_are_withdrawn_when_sending_starts(store: Store) -> None:
    ledger = Ledger(store, "main", "run")
    stage(store, record("a", campaign="spring"), record("b", campaign="spring"), record("c", campaign="autumn"))
    set_status(store, "b", "accepted")
    cancel(store, campaign="spring")
    stage(store, record("d", campaign="spring"))
    assert ledger.withdraw_cancelled_campaigns() == 2
    stage(store, record("e", campaign="spring"))
    assert ledger.withdraw_cancelled_campaigns() == 0
    statuses = {message_id: status for message_id, (status, _, _) in rows(store).items()}
    assert statuses == {"a": "skipped", "b": "accepted", "c": "scheduled", "d": "skipped", "e": "scheduled"}


@pytest.mark.parametrize(
    ("columns", "is_cancelled"),
    [
        ({"cancelled": True}, True),
        ({"cancelled": "Y"}, True),
        ({"cancelled": "f"}, False),
        ({"cancelled": None}, False),
        ({"_sdc_deleted_at": "2026-01-01T00:00:00Z"}, True),
        ({"_sdc_lsn_deleted_at": "0/16B3748"}, True),
        ({"_ab_cdc_deleted_at": "2026-01-01"}, True),
        ({"_fivetran_deleted": True}, True),
        ({"_fivetran_deleted": False, "_sdc_deleted_at": None}, False),
    ],
    ids=str,
)
def test_a_deleted_row_is_a_cancellation(columns: dict[str, Any], is_cancelled: bool) -> None:
    found = cancellation_in_message({"message_id": " m ", **columns})
    assert found == (Cancellation(message_id="m") if is_cancelled else None)


class TestOrder:
    """The order in which due messages are sent."""

    def due(self, store: Store) -> list[str]:
        ledger, after, found = Ledger(store, "main", "run"), Cursor(), []
        while page := ledger.read_due(after, 2):
            found += [item.message_id for item in page]
            after = page[-1].cursor
        return found

    def test_transactional_messages_come_first_then_by_priority_then_the_oldest(self, store: Store) -> None:
        now = datetime.now(UTC)
        stage(
            store,
            record("f", text="x"),
            record("e", text="y", send_at=(now - timedelta(hours=1)).isoformat()),
            record("d", text="z", send_at=(now - timedelta(hours=2)).isoformat()),
            record("g", priority=-1, send_at="2020-01-01"),
            record("c", priority="7"),
            record("b", priority=1000),
            record("a", transactional="yes"),
        )
        assert self.due(store) == list("abcdefg")

    def test_messages_of_the_same_content_are_adjacent_within_a_minute(self, store: Store) -> None:
        minute = datetime(2026, 1, 1, 12, tzinfo=UTC)
        texts = {"a": "x", "b": "y", "c": "x", "d": "y"}
        for number, (message_id, text) in enumerate(texts.items()):
            stage(store, record(message_id, text, send_at=(minute + timedelta(seconds=number)).isoformat()))
        assert self.due(store) in (list("acbd"), list("bdac"))

    def test_messages_of_an_earlier_version_come_first(self, store: Store) -> None:
        stage(store, record("b", transactional=False))
        now = datetime.now(UTC)
        old = {"channel": "main", "message_id": "a", "status": "scheduled", "record": record("a"), "content_key": "k"}
        with store.write() as connection:
            connection.execute(insert(tables.messages).values(**old, staged_by="old", staged_at=now, updated_at=now))
        assert self.due(store) == ["a", "b"]


_IDS = st.sampled_from("ab")
_OPERATIONS = st.one_of(
    st.tuples(st.just("stage"), st.lists(st.tuples(_IDS, st.sampled_from(["x", "y"])), min_size=1, max_size=3)),
    st.tuples(st.just("cancel"), st.lists(_IDS, min_size=1, max_size=2)),
    st.tuples(st.sampled_from(["claimed", "accepted", "rejected"]), _IDS),
)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    with open_store(sqlite_url) as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(_OPERATIONS, max_size=8))
def test_the_ledger_agrees_with_a_table_of_texts_and_states(sqlite_store: Store, operations: list[Any]) -> None:
    with sqlite_store.write() as connection:
        connection.execute(tables.messages.delete())
    model: dict[str, tuple[str, str]] = {}
    for kind, argument in operations:
        if kind == "stage":
            stage(sqlite_store, *(record(message_id, text) for message_id, text in argument))
            for message_id, text in dict(argument).items():
                state, known = model.get(message_id, ("none", ""))
                if state == "none" or (state in ("scheduled", "rejected") and known != text):
                    model[message_id] = "scheduled", text
        elif kind == "cancel":
            cancel(sqlite_store, *argument)
            for message_id in argument:
                state, known = model.get(message_id, ("none", ""))
                if state not in ("claimed", "accepted"):
                    model[message_id] = "skipped", known
        elif model.get(argument, ("none",))[0] == "scheduled":
            set_status(sqlite_store, argument, kind)
            model[argument] = kind, model[argument][1]
    found = {message_id: (status, text or "") for message_id, (status, _, text) in rows(sqlite_store).items()}
    assert found == model


def test_a_record_of_a_batch_is_not_staged_twice(store: Store) -> None:
    with store.write(lock="ledger") as connection:
        assert stage_records(connection, [record(), record()]) == 1
