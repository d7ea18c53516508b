"""`target-line-admin reconcile`: the ledger held against LINE's own counts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sqlalchemy import insert

from line_core.line_time import line_date, start_of
from line_core.store.tables import ledger as tables
from target_line.admin.reconciliation import Compared, Sent, Verdict, days_between, difference, sent_in
from tests.support import programs
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store

DAY = date(2026, 3, 10)
BEGIN = datetime(2026, 3, 9, 15, tzinfo=UTC)
"""When that day begins in LINE's time zone."""


def add(store: Store, claimed: datetime, finished: datetime | None = None, **columns: Any) -> None:
    """Put a request into the ledger: a push to one person that was accepted, unless the columns say otherwise."""
    with store.write() as connection:
        number = len(connection.execute(tables.requests.select()).all())
        row = {"retry_key": str(number), "channel": "main", "method": "push", "body": "{}", "recipients": 1}
        row["recipient_kind"] = "user"
        times = {"claimed_at": claimed, "finished_at": finished, "claimed_by": "run"}
        connection.execute(insert(tables.requests).values({**row, "status": "accepted", **times, **columns}))


def sent(store: Store, day: date = DAY) -> dict[str, Sent]:
    with store.read() as connection:
        return sent_in(connection, "main", start_of(day), start_of(day) + timedelta(days=1))


def test_days_are_line_s_and_what_is_certain_is_told_from_what_may_be(store: Store) -> None:
    second, hour, day = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
    add(store, BEGIN, BEGIN + second)
    add(store, BEGIN + day - 2 * second, BEGIN + day - second, method="multicast", recipients=500)
    add(store, BEGIN - second, BEGIN + second)  # around midnight: on one of the two days
    add(store, BEGIN + day - second, BEGIN + day + hour)
    add(store, BEGIN + hour, BEGIN + hour, status="rejected")
    add(store, BEGIN + hour, BEGIN + hour, channel="other")
    add(store, BEGIN + day, BEGIN + day)
    add(store, BEGIN - hour, status="unknown")  # may have been accepted as long as its key lived
    assert sent(store) == {"push": Sent(1, 4), "multicast": Sent(500, 500)}
    assert sent(store, DAY + day) == {"push": Sent(1, 2)}
    assert sent(store, DAY - day) == {"push": Sent(0, 2)}


@pytest.mark.parametrize("kind", ["group", "room", None])
def test_of_broadcasts_and_groups_only_line_knows_how_many_they_reached(store: Store, kind: str | None) -> None:
    add(store, BEGIN, BEGIN)
    add(store, BEGIN, BEGIN, recipient_kind=kind)
    add(store, BEGIN, BEGIN, method="broadcast", recipients=0, recipient_kind="followers")
    assert sent(store) == {"push": Sent(2, None), "broadcast": Sent(0, None)}


@pytest.mark.parametrize(
    ("status", "line", "ledger", "verdict"),
    [
        ("ready", 5, Sent(5, 5), Verdict.EQUAL),
        ("ready", 5, Sent(4, 6), Verdict.EQUAL),
        ("ready", 5, Sent(2, None), Verdict.EQUAL),
        ("ready", 5, Sent(6, 6), Verdict.DIFFERS),
        ("ready", 5, Sent(0, 4), Verdict.DIFFERS),
        ("ready", 5, Sent(6, None), Verdict.DIFFERS),
        ("unready", None, Sent(5, 5), Verdict.UNSETTLED),
        ("out_of_service", None, Sent(), Verdict.UNSETTLED),
    ],
)
def test_figures_differ_only_when_a_settled_one_does_not_fit(
    status: str, line: int | None, ledger: Sent, verdict: Verdict
) -> None:
    assert Compared("2026-03-10", "push", status, line, ledger).verdict is verdict


def test_replies_are_never_ours_and_the_month_is_never_settled() -> None:
    rows = [Compared("2026-03-10", "reply", "ready", 5, Sent()), Compared("2026-03", "quota", "goes on", 9, Sent())]
    assert [row.verdict for row in rows] == [Verdict.NOT_OURS, Verdict.UNSETTLED]
    assert difference(rows) is None


def test_the_days_go_from_the_ledger_s_first_to_today_but_not_beyond_a_month(store: Store) -> None:
    today = line_date(datetime.now(UTC))
    assert days_between(store, "main", None, None) == [today]
    add(store, start_of(today) - timedelta(days=2), datetime.now(UTC))
    assert days_between(store, "main", None, None) == [today - timedelta(days=number) for number in (2, 1, 0)]
    add(store, start_of(today) - timedelta(days=100), datetime.now(UTC))
    assert len(days_between(store, "main", None, None)) == 30
    assert days_between(store, "main", DAY, DAY) == [DAY]


@pytest.fixture
def target(sandbox_url: str, tmp_path: Path) -> TargetProgram:
    store_url = f"sqlite:///{tmp_path / 'store.db'}"
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": store_url}
    return TargetProgram(sandbox_url, tmp_path / "config.json", config)


def reconcile(target: TargetProgram, *options: str, expect: int = 0) -> tuple[dict[str, dict[str, Any]], str]:
    """Run the command: its rows by method, and what it said on stderr."""
    config = str(target.config_path)
    ended = programs.run("target-line-admin", "reconcile", "--config", config, "--format", "jsonl", *options)
    assert ended.returncode == expect, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    return {row["method"]: row for row in rows}, ended.stderr


def send(target: TargetProgram, line_ids: list[str]) -> None:
    """A push to the first, the same to the others."""
    first, *others = [{"message_id": line_id, "line_id": line_id} for line_id in line_ids]
    target.run(
        ("messages", {**first, "text": "for you alone"}),
        *(("messages", {**other, "text": "for all"}) for other in others),
    )


def test_a_settled_day_agrees_and_a_day_under_way_says_nothing(target: TargetProgram) -> None:
    send(target, target.line_ids(5))
    rows, said = reconcile(target)
    assert {method: (row["line_status"], row["verdict"]) for method, row in rows.items()} == {
        "push": ("unready", "not settled"),
        "multicast": ("unready", "not settled"),
        "quota": ("goes on", "not settled"),
    }
    target.advance_clock(24 * 3600)
    rows, said = reconcile(target)
    assert {method: (row["line"], row["ledger"], row["verdict"]) for method, row in rows.items()} == {
        "push": (1, "1", "equal"),
        "multicast": (4, "4", "equal"),
        "quota": (5, "5", "not settled"),
    }
    assert said == ""


def test_a_day_whose_counts_differ_is_named_with_both_figures(
    target: TargetProgram,
) -> None:
    line_ids = target.line_ids(4)
    target.set_follow_state(line_ids[3], "blocked")
    send(target, line_ids)
    for endpoint, to in (("push", line_ids[0]), ("reply", None)):
        body = {"to": to, "messages": [{"type": "text", "text": "by hand"}]}
        token = {"Authorization": "Bearer sandbox-token"}
        requests.post(f"{target.sandbox}/v2/bot/message/{endpoint}", json=body, headers=token, timeout=30)
    target.advance_clock(24 * 3600)
    today = line_date(datetime.now(UTC))
    rows, said = reconcile(target, "--from", f"{today}", "--to", f"{today}", expect=1)
    assert {method: row["verdict"] for method, row in rows.items() if method != "quota"} == {
        "push": "differs",
        "multicast": "differs",
    }
    assert f"{today} push: LINE 2, the ledger 1; {today} multicast: LINE 2, the ledger 3" in said
    assert "something else sends on this channel" in said
    assert len(said.splitlines()) == 1


def test_a_wrong_token_is_one_line_without_it(target: TargetProgram) -> None:
    send(target, target.line_ids(1))
    target.config_path.write_text(json.dumps({**target.config, "channel_access_token": "hunter2"}))
    _, said = reconcile(target, expect=1)
    assert "setting: channel_access_token" in said
    assert "hunter2" not in said
    assert len(said.splitlines()) == 1
