"""`make demo`: both Meltano pipelines of the README, over real HTTP and a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import requests

from examples.demo import run
from tests.support import programs
from tests.support.meltano_project import meltano

if TYPE_CHECKING:
    from typing import LiteralString

    from examples.demo.run import RunningDemo

pytestmark = pytest.mark.e2e


def start_demo(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "examples.demo.run"],
        env={**os.environ, "LINE_DEMO_DIRECTORY": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_started_in(directory: Path) -> list[str]:
    """Command lines of running processes that have the directory in their arguments or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            started_with = command + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in started_with and process.name != str(os.getpid()):
            found.append(command.replace(b"\0", b" ").decode())
    return found


def wait_until_all_have_ended(directory: Path) -> None:
    deadline = time.monotonic() + 120
    while found := processes_started_in(directory):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def figure(printed: str, name: str) -> int:
    (line,) = [line for line in printed.splitlines() if line.strip().startswith(name)]
    return int(line.split()[-1].replace(",", ""))


def query(demo: RunningDemo, sql: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(demo.warehouse.url(driver="postgresql")) as connection:
        return connection.execute(sql).fetchall()


def assert_all_data_is_in_the_warehouse(demo: RunningDemo) -> None:
    followers = requests.get(f"{demo.sandbox}/sandbox/users?limit=1000", timeout=30).json()["line_ids"]
    assert sorted(query(demo, "SELECT line_id FROM line.followers")) == sorted((line_id,) for line_id in followers)
    assert sorted(query(demo, "SELECT line_id FROM line.profiles")) == sorted((line_id,) for line_id in followers)
    assert query(demo, "SELECT count(*), count(DISTINCT webhook_event_id) FROM line.events") == [(500, 500)]
    assert query(demo, "SELECT count(*) FROM line.bot_info") == [(1,)]
    assert query(demo, "SELECT count(*) FROM line.message_quota") == [(1,)]


def assert_every_message_was_sent_once(demo: RunningDemo) -> None:
    sent = requests.get(f"{demo.sandbox}/sandbox/deliveries", timeout=30).json()["deliveries"]
    store_url = demo.environment["TARGET_LINE_STORE_URL"]
    listing = programs.run("target-line-admin", "--store-url", store_url, "deliveries", "--format", "jsonl")
    assert listing.returncode == 0, listing.stderr
    ledger = [json.loads(line) for line in listing.stdout.splitlines()]
    accepted = [row for row in ledger if row["status"] == "accepted"]
    assert Counter(row["line_id"] for row in accepted) == Counter(delivery["line_id"] for delivery in sent)
    assert Counter(row["retry_key"] for row in accepted) == Counter(delivery["retry_key"] for delivery in sent)
    assert all(row["request_id"] for row in accepted)
    line_id_of = {row[0]: row[1] for row in query(demo, "SELECT id, line_id FROM crm.profiles")}
    for row in accepted:
        customer = row["message_id"].removeprefix("spring-").removeprefix("gold-")
        assert row["line_id"] == line_id_of[customer]
    reasons = {row["message_id"]: row["reason"] for row in ledger if row["message_id"].startswith("lost-")}
    assert reasons == {
        "lost-1": "unknown_recipient",
        "lost-2": "no_line_id",
        "lost-3": "expired",
        "lost-5": "template_error",
    }


def assert_target_jsonl_gets_the_same_records(demo: RunningDemo, directory: Path) -> None:
    directory.mkdir()
    environment = {**demo.environment, "TARGET_JSONL_DESTINATION_PATH": str(directory)}
    meltano("run", "tap-line", "target-jsonl", environment=environment)
    lines = {file.stem: file.read_text().splitlines() for file in directory.iterdir()}
    tables = [table for (table,) in query(demo, "SELECT tablename FROM pg_tables WHERE schemaname = 'line'")]
    counts = {table: query(demo, f"SELECT count(*) FROM line.{table}")[0][0] for table in tables}
    filled = {table: count for table, count in counts.items() if count}
    # These have records since the second pipeline has run.
    assert lines.keys() - {"deliveries", "identities", "merges", "rejects"} == filled.keys()
    for stream, count in filled.items():
        # The second run may exceed the limit of 60 requests per hour of the insight endpoints.
        written = len(lines[stream])
        assert written == count or (stream.startswith("insight_") and written < count)
    assert all(isinstance(json.loads(line), dict) for written in lines.values() for line in written)


def test_the_first_run_moves_all_data_and_the_second_run_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "demo"
    directory.mkdir()
    monkeypatch.setattr(run, "DATA", directory)
    with ExitStack() as running:
        demo = run.demo(running)
        first = capsys.readouterr().out
        assert figure(first, "line.followers") == figure(first, "line.profiles") == 1000
        assert figure(first, "line.events") == 500
        assert figure(first, "merged: anonymous_identified") == 400
        assert figure(first, "messages accepted") == figure(first, "delivered by LINE in this run") > 400
        assert_all_data_is_in_the_warehouse(demo)
        assert_every_message_was_sent_once(demo)
        assert_target_jsonl_gets_the_same_records(demo, tmp_path / "jsonl")
    second_run = start_demo(directory)
    second, _ = second_run.communicate(timeout=800)
    assert second_run.returncode == 0, second
    assert figure(second, "delivered by LINE in this run") == 0
    assert "none was sent again" in second
    assert figure(second, "line.followers") == figure(second, "line.profiles") == 1000
    assert figure(second, "line.events") == 500
    wait_until_all_have_ended(directory)


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    demo = start_demo(directory)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "meltano run" in line:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=300)
    assert demo.returncode == 130
    assert "All servers of the demo have stopped" in rest
    assert "Traceback" not in rest
    wait_until_all_have_ended(directory)
