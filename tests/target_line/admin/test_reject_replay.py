"""`target-line-admin replay-rejects`: process rejected records again, each record once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from line_core.identity.policy import MergePolicy
from line_core.store import Store, open_store
from line_core.store.saved_policy import load_policy, save_policy
from line_core.store.tables import ledger as tables
from target_line.admin import reject_replay
from target_line.admin.cli import commands
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from tests.support import programs
from tests.support.people import line_id
from tests.support.staging import stage_records
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

MANY = 1500
Record = dict[str, Any]


def save_as_rejects(store: Store, stream: str, *records: Record, reason: Reason = Reason.INVALID_RECORD) -> None:
    with store.write() as connection:
        save_rejects(connection, "main", [Reject(stream, record, reason, "detail") for record in records])


def admin(store_url: str, *arguments: str) -> str:
    outcome = CliRunner().invoke(commands, ["--store-url", store_url, *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def replayed(store_url: str, *options: str) -> dict[str, int]:
    lines = admin(store_url, "replay-rejects", "--format", "jsonl", *options).splitlines()
    counts = {row["outcome"]: row["count"] for row in map(json.loads, lines)}
    return {outcome: count for outcome, count in counts.items() if count}


def listed(store_url: str, what: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in admin(store_url, what, "--format", "jsonl").splitlines()]


def message(number: int, **columns: Any) -> Record:
    return {"message_id": f"m{number}", "line_id": line_id(number), "text": "hello", **columns}


def stage(store: Store, *records: Record, **columns: Any) -> None:
    """Add messages to the ledger, then set the given columns."""
    with store.write(lock="ledger") as connection:
        staged = records
        stage_records(connection, staged)
        if columns:
            connection.execute(update(tables.messages).values(**columns))


def test_evidence_is_stored_and_its_reject_is_replayed_only_once(store: Store, store_url: str) -> None:
    save_as_rejects(store, "crm-profiles", {"id": "a", "line_id": line_id(1), "name": "Aoi"})
    save_as_rejects(store, "follows", {"line_id": line_id(2), "type": "follow", "occurred_at": "2026-01-01T00:00:00Z"})
    assert replayed(store_url) == {"taken in": 2}
    assert [person["id"] for person in listed(store_url, "identities")] == ["a", None]
    assert all(reject["replayed_at"] for reject in listed(store_url, "rejects"))
    assert replayed(store_url) == {}


def test_a_message_that_is_not_in_the_ledger_is_scheduled(store: Store, store_url: str) -> None:
    save_as_rejects(store, "public-messages", message(1), message(2, send_at="2099-01-01T00:00:00Z"))
    assert replayed(store_url) == {"scheduled, to be sent by the next run": 2}
    assert [(row["message_id"], row["status"], row["send_at"]) for row in listed(store_url, "deliveries")] == [
        ("m1", "scheduled", None),
        ("m2", "scheduled", "2099-01-01T00:00:00.000Z"),
    ]


def test_only_messages_with_status_rejected_are_scheduled_again(store: Store, store_url: str) -> None:
    statuses = ["rejected", "accepted", "claimed", "unknown", "skipped", "scheduled"]
    for number, status in enumerate(statuses):
        stage(store, message(number))
        with store.write() as connection:
            connection.execute(
                update(tables.messages)
                .where(tables.messages.c.message_id == f"m{number}")
                .values(status=status, reason="refused_by_line", retry_key=f"key-{number}", detail="no")
            )
    stage(store, message(99))
    save_as_rejects(store, "messages", *(message(number) for number in range(len(statuses))), message(99, text="other"))
    assert replayed(store_url) == {
        "scheduled, to be sent by the next run": 1,
        "known to the ledger by another record": 6,
    }
    rows = {row["message_id"]: row for row in listed(store_url, "deliveries")}
    assert [rows[f"m{number}"]["status"] for number in range(6)] == ["scheduled", *statuses[1:]]
    assert (rows["m0"]["reason"], rows["m0"]["detail"], rows["m0"]["retry_key"]) == (None, None, None)


def test_a_different_record_with_the_same_message_id_is_not_scheduled(store: Store, store_url: str) -> None:
    stage(store, message(1, text="rejected by LINE"), status="rejected")
    save_as_rejects(store, "messages", message(1, text="other text"), message(1, text="rejected by LINE"))
    assert replayed(store_url) == {
        "scheduled, to be sent by the next run": 1,
        "known to the ledger by another record": 1,
    }
    with store.read() as connection:
        assert connection.scalars(select(tables.messages.c.record["text"].as_string())).all() == ["rejected by LINE"]


def test_a_record_that_is_rejected_again_gets_the_new_reason_and_stays_open(store: Store, store_url: str) -> None:
    save_as_rejects(store, "messages", message(1, text=None))
    assert replayed(store_url) == {"refused again": 1}
    (reject,) = listed(store_url, "rejects")
    assert (reject["reason"], reject["times_seen"], reject["replayed_at"]) == ("no_content", 2, None)
    assert replayed(store_url) == {"refused again": 1}


def test_a_replayed_record_that_is_rejected_later_can_be_replayed_again(store: Store, store_url: str) -> None:
    save_as_rejects(store, "messages", message(1))
    replayed(store_url)
    stage(store, status="rejected")
    save_as_rejects(store, "messages", message(1), reason=Reason.REFUSED_BY_LINE)
    assert [reject["replayed_at"] for reject in listed(store_url, "rejects")] == [None]
    assert replayed(store_url) == {"scheduled, to be sent by the next run": 1}


def test_rejects_are_selected_by_reason_stream_and_limit(store: Store, store_url: str) -> None:
    save_as_rejects(store, "messages", *(message(number) for number in range(5)), reason=Reason.TEMPLATE_ERROR)
    save_as_rejects(store, "messages", message(5), reason=Reason.INVALID_MESSAGE)
    save_as_rejects(store, "profiles", {"id": "a"}, reason=Reason.TEMPLATE_ERROR)
    assert replayed(store_url, "--reason", "template_error", "--stream", "messages", "--limit", "2") == {
        "scheduled, to be sent by the next run": 2
    }
    assert replayed(store_url, "--stream", "profiles") == {"taken in": 1}
    assert replayed(store_url, "--reason", "template_error") == {"scheduled, to be sent by the next run": 3}
    assert replayed(store_url) == {"scheduled, to be sent by the next run": 1}


def test_the_merge_policy_is_saved_only_if_evidence_is_replayed_with_settings(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    policy = MergePolicy(max_line_ids=3)
    save_policy(store, policy)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"max_line_ids_per_profile": 5}))
    save_as_rejects(store, "messages", message(1))
    replayed(store_url, "--config", str(config))
    assert load_policy(store) == policy
    save_as_rejects(store, "profiles", {"id": "a"})
    replayed(store_url)
    assert load_policy(store) == policy, "without --config, the saved settings apply"
    save_as_rejects(store, "profiles", {"id": "b"})
    replayed(store_url, "--config", str(config))
    assert load_policy(store).max_line_ids == 5


def test_rejects_are_replayed_in_batches(store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_replay, "_BATCH_SIZE", 2)
    save_as_rejects(store, "messages", *(message(number) for number in range(5)), message(9, text=None))
    assert replayed(store_url) == {"scheduled, to be sent by the next run": 5, "refused again": 1}


def test_the_settings_of_the_target_apply(store: Store, store_url: str, tmp_path: Path) -> None:
    save_as_rejects(store, "crm-customers", {"id": "a", "line_id": line_id(1)})
    outcome = CliRunner().invoke(commands, ["--store-url", store_url, "replay-rejects"])
    assert "setting: stream_roles" in str(outcome.exception)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"stream_roles": {"crm-customers": "profiles"}, "provider": "shop"}))
    assert replayed(store_url, "--config", str(config)) == {"taken in": 1}
    (person,) = map(json.loads, admin(store_url, "--provider", "shop", "identities", "--format", "jsonl").splitlines())
    assert person["line_id"] == line_id(1)


@pytest.mark.parametrize(
    ("written", "message"), [(None, "cannot read"), ("{", "not a JSON object"), ("[]", "not a JSON object")]
)
def test_an_unreadable_configuration_is_a_one_line_error(tmp_path: Path, written: str | None, message: str) -> None:
    config = tmp_path / "config.json"
    if written is not None:
        config.write_text(written)
    ended = programs.run("target-line-admin", "replay-rejects", "--config", config, directory=tmp_path)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_after_a_crash_between_storing_and_marking_the_next_replay_stores_nothing_twice(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_as_rejects(store, "profiles", {"id": "a", "line_id": line_id(1)})
    save_as_rejects(store, "messages", message(1))

    def crash(_self: reject_replay.RejectReplay, _connection: Connection, _ids: set[int]) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(reject_replay.RejectReplay, "_mark_as_replayed", crash)
        with pytest.raises(RuntimeError):
            admin(store_url, "replay-rejects")
    assert listed(store_url, "deliveries") == []
    before = listed(store_url, "identities")
    assert replayed(store_url) == {"taken in": 1, "scheduled, to be sent by the next run": 1}
    assert listed(store_url, "identities") == before
    assert len(listed(store_url, "merges")) <= 1


def start_replay(store_url: str) -> programs.Program:
    return programs.start("target-line-admin", "--store-url", store_url, "replay-rejects", "--format", "jsonl")


def test_a_kill_and_two_processes_replay_each_record_once(store: Store, store_url: str) -> None:
    rng = random.Random(5)
    save_as_rejects(store, "messages", *(message(number) for number in range(MANY)))
    process = start_replay(store_url)
    time.sleep(rng.uniform(1, 2))
    process.kill()
    process.communicate()
    with store.read() as connection:
        done = len(connection.scalars(select(tables.messages.c.message_id)).all())
    both = [start_replay(store_url) for _ in range(2)]
    outcomes: Counter[str] = Counter()
    for process in both:
        out, log = process.communicate(timeout=60)
        assert process.returncode == 0, log
        outcomes.update({row["outcome"]: row["count"] for row in map(json.loads, out.splitlines())})
    assert +outcomes == Counter({"scheduled, to be sent by the next run": MANY - done})
    assert Counter(row["status"] for row in listed(store_url, "deliveries")) == {"scheduled": MANY}


def test_a_message_that_line_rejected_is_sent_once_after_a_replay(
    sandbox_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": sqlite_url}
    target = TargetProgram(sandbox_url, tmp_path / "config.json", config)
    line_ids = target.line_ids(3)
    target.add_fault("status", status=400, count=1)
    columns = {"text": "Hi {{ variables.name }}"}
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": to, **columns, "variables": {"name": f"{number}"}})
        for number, to in enumerate(line_ids)
    ]
    target.run(*records)
    (rejected,) = [row for row in target.ledger().values() if row["status"] == "rejected"]
    began = datetime.now(UTC)
    replaying = target.admin("replay-rejects", "--reason", "refused_by_line")
    assert "scheduled, to be sent by the next run  1" in replaying
    assert target.ledger()[rejected["message_id"]]["status"] == "scheduled"
    target.run()
    assert Counter(delivery["line_id"] for delivery in target.deliveries()) == Counter(line_ids)
    sent = target.ledger()[rejected["message_id"]]
    assert sent["status"] == "accepted"
    assert sent["retry_key"] != rejected["retry_key"]
    (reject,) = map(json.loads, target.admin("rejects", "--format", "jsonl").splitlines())
    assert datetime.fromisoformat(reject["replayed_at"]) >= began.replace(microsecond=0)
    with open_store(sqlite_url) as store, store.read() as connection:
        old = connection.execute(select(tables.requests).where(tables.requests.c.retry_key == rejected["retry_key"]))
        assert old.one().status == "rejected"
