"""`target-line-admin reconcile`: compare the ledger with LINE's counts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sqlalchemy import insert

from line_core.line_time import line_date, line_day_start
from line_core.store import open_store
from line_core.store.saved_policy import load_policy
from line_core.store.tables import ledger as tables
from target_line.admin.reconciliation import (
    ComparisonResult,
    CountComparison,
    RecipientCount,
    days_between,
    difference_error,
    recipients_between,
)
from tests.support import programs
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store

DAY = date(2026, 3, 10)
BEGIN = datetime(2026, 3, 9, 15, tzinfo=UTC)
"""Begin of that day in LINE's time zone."""


def add(store: Store, claimed: datetime, finished: datetime | None = None, **columns: Any) -> None:
    """Insert a request into the ledger: by default an accepted push to one recipient."""
    with store.write() as connection:
        number = len(connection.execute(tables.requests.select()).all())
        row = {"retry_key": str(number), "channel": "main", "method": "push", "body": "{}", "recipients": 1}
        row["recipient_kind"] = "user"
        times = {"claimed_at": claimed, "finished_at": finished, "claimed_by": "run"}
        connection.execute(insert(tables.requests).values({**row, "status": "accepted", **times, **columns}))


def sent(store: Store, day: date = DAY) -> dict[str, RecipientCount]:
    with store.read() as connection:
        return recipients_between(connection, "main", line_day_start(day), line_day_start(day) + timedelta(days=1))


def test_days_are_in_line_time_zone_and_uncertain_requests_only_raise_the_maximum(store: Store) -> None:
    second, hour, day = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
    add(store, BEGIN, BEGIN + second)
    add(store, BEGIN + day - 2 * second, BEGIN + day - second, method="multicast", recipients=500)
    add(store, BEGIN - second, BEGIN + second)  # around midnight: counted on one of the two days
    add(store, BEGIN + day - second, BEGIN + day + hour)
    add(store, BEGIN + hour, BEGIN + hour, status="rejected")
    add(store, BEGIN + hour, BEGIN + hour, channel="other")
    add(store, BEGIN + day, BEGIN + day)
    add(store, BEGIN - hour, status="unknown")  # may have been accepted within the lifetime of its retry key
    assert sent(store) == {"push": RecipientCount(1, 4), "multicast": RecipientCount(500, 500)}
    assert sent(store, DAY + day) == {"push": RecipientCount(1, 2)}
    assert sent(store, DAY - day) == {"push": RecipientCount(0, 2)}


@pytest.mark.parametrize("kind", ["group", "room", None])
def test_the_maximum_is_unknown_for_broadcasts_and_messages_to_groups(store: Store, kind: str | None) -> None:
    add(store, BEGIN, BEGIN)
    add(store, BEGIN, BEGIN, recipient_kind=kind)
    add(store, BEGIN, BEGIN, method="broadcast", recipients=0, recipient_kind="followers")
    assert sent(store) == {"push": RecipientCount(2, None), "broadcast": RecipientCount(0, None)}


@pytest.mark.parametrize(
    ("status", "line", "ledger", "verdict"),
    [
        ("ready", 5, RecipientCount(5, 5), ComparisonResult.EQUAL),
        ("ready", 5, RecipientCount(4, 6), ComparisonResult.EQUAL),
        ("ready", 5, RecipientCount(2, None), ComparisonResult.EQUAL),
        ("ready", 5, RecipientCount(6, 6), ComparisonResult.DIFFERS),
        ("ready", 5, RecipientCount(0, 4), ComparisonResult.DIFFERS),
        ("ready", 5, RecipientCount(6, None), ComparisonResult.DIFFERS),
        ("unready", None, RecipientCount(5, 5), ComparisonResult.NOT_FINAL),
        ("out_of_service", None, RecipientCount(), ComparisonResult.NOT_FINAL),
    ],
)
def test_counts_differ_only_if_the_final_count_is_outside_the_range(
    status: str, line: int | None, ledger: RecipientCount, verdict: ComparisonResult
) -> None:
    assert CountComparison("2026-03-10", "push", status, line, ledger).result is verdict


def test_replies_are_not_ours_and_the_count_of_the_month_is_never_final() -> None:
    rows = [
        CountComparison("2026-03-10", "reply", "ready", 5, RecipientCount()),
        CountComparison("2026-03", "quota", "goes on", 9, RecipientCount()),
    ]
    assert [row.result for row in rows] == [ComparisonResult.NOT_OURS, ComparisonResult.NOT_FINAL]
    assert difference_error(rows) is None


def test_default_days_are_from_the_first_day_of_the_ledger_to_today_at_most_30(store: Store) -> None:
    today = line_date(datetime.now(UTC))
    assert days_between(store, "main", None, None) == [today]
    add(store, line_day_start(today) - timedelta(days=2), datetime.now(UTC))
    assert days_between(store, "main", None, None) == [today - timedelta(days=number) for number in (2, 1, 0)]
    add(store, line_day_start(today) - timedelta(days=100), datetime.now(UTC))
    assert len(days_between(store, "main", None, None)) == 30
    assert days_between(store, "main", DAY, DAY) == [DAY]


@pytest.fixture
def target(sandbox_url: str, sqlite_url: str, tmp_path: Path) -> TargetProgram:
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": sqlite_url}
    return TargetProgram(sandbox_url, tmp_path / "config.json", config)


def reconcile(target: TargetProgram, *options: str, expect: int = 0) -> tuple[dict[str, dict[str, Any]], str]:
    """Run the command; return its rows by method, and its stderr."""
    config = str(target.config_path)
    ended = programs.run("target-line-admin", "reconcile", "--config", config, "--format", "jsonl", *options)
    assert ended.returncode == expect, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    return {row["method"]: row for row in rows}, ended.stderr


def send(target: TargetProgram, line_ids: list[str]) -> None:
    """Send a push to the first LINE ID, and a multicast to the others."""
    first, *others = [{"message_id": line_id, "line_id": line_id} for line_id in line_ids]
    target.run(
        ("messages", {**first, "text": "for you alone"}),
        *(("messages", {**other, "text": "for all"}) for other in others),
    )


def test_a_final_count_is_equal_and_a_count_of_today_is_not_final(target: TargetProgram) -> None:
    send(target, target.line_ids(5))
    rows, stderr = reconcile(target)
    assert {method: (row["line_status"], row["verdict"]) for method, row in rows.items()} == {
        "push": ("unready", "not settled"),
        "multicast": ("unready", "not settled"),
        "quota": ("goes on", "not settled"),
    }
    target.advance_clock(24 * 3600)
    rows, stderr = reconcile(target)
    assert {method: (row["line"], row["ledger"], row["verdict"]) for method, row in rows.items()} == {
        "push": (1, "1", "equal"),
        "multicast": (4, "4", "equal"),
        "quota": (5, "5", "not settled"),
    }
    assert stderr == ""


def test_the_error_names_both_counts_if_another_program_sent_or_a_recipient_had_blocked(target: TargetProgram) -> None:
    line_ids = target.line_ids(4)
    target.set_follow_state(line_ids[3], "blocked")
    send(target, line_ids)
    for endpoint, to in (("push", line_ids[0]), ("reply", None)):
        body = {"to": to, "messages": [{"type": "text", "text": "by hand"}]}
        token = {"Authorization": "Bearer sandbox-token"}
        requests.post(f"{target.sandbox}/v2/bot/message/{endpoint}", json=body, headers=token, timeout=30)
    target.advance_clock(24 * 3600)
    today = line_date(datetime.now(UTC))
    rows, stderr = reconcile(target, "--from", f"{today}", "--to", f"{today}", expect=1)
    assert {method: row["verdict"] for method, row in rows.items() if method != "quota"} == {
        "push": "differs",
        "multicast": "differs",
    }
    assert f"{today} push: LINE 2, the ledger 1; {today} multicast: LINE 2, the ledger 3" in stderr
    assert "another program sends on this channel" in stderr
    assert len(stderr.splitlines()) == 1


def test_the_saved_merge_policy_is_not_changed(target: TargetProgram) -> None:
    target.run(max_line_ids_per_profile=3)
    target.config_path.write_text(json.dumps(target.config))
    reconcile(target)
    with open_store(target.config["store_url"]) as store:
        assert load_policy(store).max_line_ids == 3


def test_a_wrong_token_is_a_one_line_error_without_the_token(target: TargetProgram) -> None:
    send(target, target.line_ids(1))
    target.config_path.write_text(json.dumps({**target.config, "channel_access_token": "hunter2"}))
    _, stderr = reconcile(target, expect=1)
    assert "setting: channel_access_token" in stderr
    assert "hunter2" not in stderr
    assert len(stderr.splitlines()) == 1
