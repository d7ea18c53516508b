"""Dry runs: nothing that they read is sent later, they show what a run would do, and they check later messages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update

from line_core.draft_channel import draft_channel
from line_core.store.tables.ledger import cancelled_campaigns
from line_core.store.tables.ledger import messages as message_rows
from line_core.store.tables.runs import runs
from target_line.run_history import Run
from target_line.sending.drafts import DraftLedger, delete_drafts, delete_leftover_drafts
from target_line.sending.ledger import Cursor, Ledger
from target_line.sending.read.cancellation import Cancellation
from target_line.sending.read.message import parse_message
from target_line.sending.staging import MessageToStage, Staging
from tests.support import programs
from tests.support.people import line_id
from tests.support.staging import stage_records
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store

LATER = "2099-01-01T00:00:00Z"


def record(message_id: str, line: str, **columns: Any) -> tuple[str, dict[str, Any]]:
    return "messages", {"message_id": message_id, "line_id": line, "text": "hello", **columns}


def approve_of(log: str) -> str:
    (approve,) = re.findall("approve ([0-9a-f]{64})", log)
    return str(approve)


class Rehearsal:
    """A dry run on a store: its drafts and its view of the ledger."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ledger = DraftLedger(store, "main", "dry")
        self._staging = Staging(self.ledger.draft_channel, "dry", drafts_of="main")

    def stage(self, *records: dict[str, Any]) -> list[str]:
        """Stage drafts, and return the reasons of refusals."""
        items = [MessageToStage(parse_message(each, "default"), each) for each in records]
        with self.store.write(lock="ledger") as connection:
            staged = self._staging.stage(connection, items, lambda stored: parse_message(stored, "default"))
        return [str(refusal.reason) for refusal in staged.refusals]

    def cancel(self, *cancellations: Cancellation) -> None:
        with self.store.write(lock="ledger") as connection:
            self._staging.cancel(connection, cancellations)
        self.ledger.withdraw_cancelled_campaigns()

    def due(self) -> dict[str, str]:
        return {item.message_id: item.record["text"] for item in self.ledger.read_due(Cursor(), 100)}


def _messages(**text_by_id: str) -> list[dict[str, Any]]:
    return [{"message_id": name, "line_id": line_id(1), "text": text} for name, text in text_by_id.items()]


def _rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return [
            *connection.execute(select(message_rows).order_by(message_rows.c.message_id)).all(),
            *connection.execute(select(cancelled_campaigns)).all(),
        ]


def test_a_dry_run_sees_its_input_in_place_of_scheduled_messages_and_changes_none_of_them(store: Store) -> None:
    with store.write(lock="ledger") as connection:
        stage_records(connection, [*_messages(a="typo", b="stays", c="gone"), _in_campaign("d"), _in_campaign("f")])
    with store.write() as connection:
        connection.execute(update(message_rows).where(message_rows.c.message_id == "f").values(status="accepted"))
    before = _rows(store)
    rehearsal = Rehearsal(store)
    assert rehearsal.stage(*_messages(a="right", b="stays", e="new", f="other")) == ["already_sent_differently"]
    rehearsal.stage(_in_campaign("g"))
    rehearsal.cancel(Cancellation(message_id="c"), Cancellation(campaign="spring"))
    assert rehearsal.due() == {"a": "right", "b": "stays", "e": "new"}
    assert rehearsal.ledger.count_due() == 3
    pages = rehearsal.ledger.read_due(Cursor(), 2)
    pages += rehearsal.ledger.read_due(pages[-1].cursor, 2)
    assert sorted(item.message_id for item in pages) == ["a", "b", "e"]
    delete_drafts(store, "dry")
    assert _rows(store) == before
    assert Ledger(store, "main", "run").count_due() == 4


def _in_campaign(name: str) -> dict[str, Any]:
    return {"message_id": name, "line_id": line_id(1), "text": "x", "campaign": "spring"}


def test_drafts_of_a_killed_dry_run_are_deleted_by_a_later_run(store: Store) -> None:
    run = Run("main", "plan")
    run.start(store)
    with store.write(lock="ledger") as connection:
        Staging(draft_channel(run.run_id), run.run_id, drafts_of="main").stage(
            connection, [MessageToStage(parse_message(each, "default"), each) for each in _messages(a="x")]
        )
        connection.execute(
            insert(cancelled_campaigns).values(
                channel=draft_channel(run.run_id), campaign="c", cancelled_at=datetime.now(UTC)
            )
        )
    delete_leftover_drafts(store)
    assert len(_rows(store)) == 2, "the run may still be running"
    with store.write() as connection:
        connection.execute(update(runs).values(started_at=datetime.now(UTC) - timedelta(hours=25)))
    delete_leftover_drafts(store)
    assert _rows(store) == []


@pytest.mark.parametrize("mode", ["plan", "validate"])
def test_a_message_that_only_a_dry_run_has_read_is_never_sent(target: TargetProgram, mode: str) -> None:
    one, two, three = target.line_ids(3)
    target.run(record("waits", one, send_at=LATER))
    log = target.run(
        *(record("a", one, text="typo"), record("waits", two, text="now"), record("only planned", three)),
        ("cancellations", {"message_id": "waits 2"}),
        mode=mode,
    )
    assert "messages: 3 records: draft 3" in log
    assert target.deliveries() == []
    assert list(target.ledger()) == ["waits"]
    assert target.ledger()["waits"]["send_at"] == "2099-01-01T00:00:00.000Z"
    target.run(record("a", one, text="right"), record("waits 2", two, text="not cancelled"))
    assert {row["line_id"]: row["messages"][0]["text"] for row in target.deliveries()} == {
        one: "right",
        two: "not cancelled",
    }
    with target.open_store() as store:
        assert {row.channel for row in _rows(store)} == {"main"}


@pytest.mark.parametrize(("mode", "states"), [("plan", 0), ("validate", 0), ("send", 1)])
def test_a_dry_run_passes_no_state_on(sqlite_target: TargetProgram, mode: str, states: int) -> None:
    (one,) = sqlite_target.line_ids(1)
    assert sqlite_target.states(record("a", one), mode=mode) == states


def test_messages_that_are_due_later_are_rendered_in_plan_and_validation(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(5)
    good = [record(f"good {number}", name, send_at="2098-01-01T00:00:00Z") for number, name in enumerate(line_ids[:2])]
    bad = [
        record(f"bad {number}", name, text="Hi {{ variables.nmae }}", variables={"name": "Ann"}, send_at=LATER)
        for number, name in enumerate(line_ids[2:])
    ]
    log = sqlite_target.run(*good, *bad, mode="plan")
    assert "plan: 0 messages in 0 requests" in log
    assert "plan: later: 5, the first at 2098-01-01 00:00 UTC: rejected (template_error) 3, scheduled 2" in log
    assert "an example of template_error is message bad 0" in log
    (saved,) = map(json.loads, sqlite_target.admin("plans", "--format", "jsonl").splitlines())
    assert "nmae" in saved["summary"]["problems"]["template_error"]["detail"]
    other = approve_of(sqlite_target.run(*good, *bad[1:], mode="plan"))
    assert approve_of(log) != other, "the hash covers later messages"
    log = sqlite_target.run(*good, *bad, mode="validate")
    assert "LINE would accept 2 messages and reject 0; rejected before they would be sent: template_error 3" in log
    assert "messages: 5 records: draft 2, rejected (template_error) 3" in log
    assert sqlite_target.ledger() == {}


def test_a_plan_of_rejected_and_sent_messages_is_empty_and_has_a_hash(sqlite_target: TargetProgram) -> None:
    (one,) = sqlite_target.line_ids(1)
    sqlite_target.run(record("sent", one))
    log = sqlite_target.run(record("sent", one), record("bad", one, text="{{ x", send_at=LATER), mode="plan")
    assert "plan: 0 messages in 0 requests" in log
    assert approve_of(log)
    assert "messages: 2 records: duplicate 1, rejected (template_error) 1" in log


def test_a_plan_leaves_what_the_quota_does_not_allow_and_keeps_the_oldest(
    sqlite_target: TargetProgram, tmp_path: Path
) -> None:
    with programs.serve("line-sandbox", "serve", "--port", "0", "--quota", "5", log=tmp_path / "sandbox.log") as url:
        limited = TargetProgram(url, sqlite_target.config_path, {**sqlite_target.config, "api_url": url})
        (one,) = limited.line_ids(1)
        times = {"receipt": "2026-01-01T08:00:00Z", "promotion": "2026-01-01T09:00:00Z"}
        records = [
            record(f"{name} {number}", one, text=f"{name} {number}", send_at=times[name])
            for number in range(5)
            for name in ("promotion", "receipt")
        ]
        log = limited.run(*records, mode="plan")
        assert "plan: 5 messages in 5 requests" in log
        assert "plan: 5 more are due and stay scheduled" in log
        limited.run(*records, approve=approve_of(log))
        assert {row["messages"][0]["text"].split()[0] for row in limited.deliveries()} == {"receipt"}


def test_a_plan_has_the_numbers_that_are_sent_with_a_limit(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(9)
    records = [record(f"m{number}", name) for number, name in enumerate(line_ids)]
    log = sqlite_target.run(*records, mode="plan", max_sends_per_run=4)
    assert "plan: 4 messages in 1 requests" in log
    assert "plan: 4 of the monthly quota" in log
    assert "plan: 5 more are due and stay scheduled" in log
    sqlite_target.run(*records, approve=approve_of(log), max_sends_per_run=4)
    assert len(sqlite_target.deliveries()) == 4
    log = sqlite_target.run(*records, approve=approve_of(log), max_sends_per_run=4, expect=1)
    assert "setting: approve" in log
    assert len(sqlite_target.deliveries()) == 4
