"""Both Meltano pipelines of the README, over real HTTP and a real PostgreSQL.

The second runs, which change nothing, are in test_demo.py.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from examples.demo.servers import program
from tests.support import programs

if TYPE_CHECKING:
    from tests.support.meltano_project import Meltano

WAREHOUSE_SQL = Path(__file__).parents[2] / "examples" / "demo" / "warehouse.sql"
EVENTS = 200

pytestmark = pytest.mark.e2e


def deliveries(sandbox_url: str) -> list[dict[str, Any]]:
    delivered: list[dict[str, Any]] = requests.get(f"{sandbox_url}/sandbox/deliveries", timeout=30).json()["deliveries"]
    return delivered


def ledger(meltano: Meltano) -> list[dict[str, Any]]:
    done = programs.run("target-line-admin", "deliveries", "--format", "jsonl", environment=meltano.environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def receive_webhooks(meltano: Meltano, sandbox_url: str, tmp_path: Path) -> None:
    environment = {
        **meltano.environment,
        "TAP_LINE_WEBHOOK_CHANNEL_SECRET": "sandbox-secret",
        "TAP_LINE_WEBHOOK_STORE_URL": meltano.environment["TAP_LINE_STORE_URL"],
    }
    serve = ("tap-line-webhook", "serve", "--port", "0")
    with program(*serve, environment=environment, log=tmp_path / "webhook.log") as url:
        order = {
            "url": f"{url}/webhook/main",
            "secret": "sandbox-secret",
            "generate": {"count": EVENTS, "seed": 7},
            "batch_size": 5,
            "duplicate": 0.2,
            "shuffle": True,
        }
        requests.post(f"{sandbox_url}/sandbox/webhooks", json=order, timeout=120).raise_for_status()


def test_data_reach_the_warehouse_and_every_message_is_sent_once(
    meltano: Meltano,
    sandbox_url: str,
    tmp_path: Path,
) -> None:
    receive_webhooks(meltano, sandbox_url, tmp_path)

    meltano("run", "tap-line", "target-postgres")
    followers = requests.get(f"{sandbox_url}/sandbox/users?limit=1000", timeout=30).json()["line_ids"]
    assert sorted(meltano.query("SELECT line_id FROM line.followers")) == sorted((line_id,) for line_id in followers)
    assert sorted(meltano.query("SELECT line_id FROM line.profiles")) == sorted((line_id,) for line_id in followers)
    assert meltano.query("SELECT count(*), count(DISTINCT webhook_event_id) FROM line.events") == [(EVENTS, EVENTS)]
    assert meltano.query("SELECT count(*) FROM line.bot_info") == [(1,)]
    assert meltano.query("SELECT count(*) FROM line.message_quota") == [(1,)]

    files = tmp_path / "jsonl"
    files.mkdir()
    meltano("run", "tap-line", "target-jsonl", TARGET_JSONL_DESTINATION_PATH=str(files))
    lines = {file.stem: file.read_text().splitlines() for file in files.iterdir()}
    tables = [table for (table,) in meltano.query("SELECT tablename FROM pg_tables WHERE schemaname = 'line'")]
    counts = {table: meltano.query(f"SELECT count(*) FROM line.{table}")[0][0] for table in tables}
    assert lines.keys() == {table for table, count in counts.items() if count}
    for stream, written in lines.items():
        # The second run may exceed the limit of 60 requests per hour of the insight endpoints.
        assert len(written) == counts[stream] or (stream.startswith("insight_") and len(written) < counts[stream])
    assert all(isinstance(json.loads(line), dict) for written in lines.values() for line in written)

    meltano.execute(WAREHOUSE_SQL.read_bytes())
    meltano("run", "tap-postgres", "target-line")
    sent = deliveries(sandbox_url)
    accepted = [row for row in ledger(meltano) if row["status"] == "accepted"]
    assert Counter(row["line_id"] for row in accepted) == Counter(delivery["line_id"] for delivery in sent)
    assert Counter(row["retry_key"] for row in accepted) == Counter(delivery["retry_key"] for delivery in sent)
    assert all(row["request_id"] for row in accepted)
    line_id_of = {row[0]: row[1] for row in meltano.query("SELECT id, line_id FROM crm.profiles")}
    for row in accepted:
        customer = row["message_id"].removeprefix("spring-").removeprefix("gold-")
        assert row["line_id"] == line_id_of[customer]
    reasons = {row["message_id"]: row["reason"] for row in ledger(meltano) if row["message_id"].startswith("lost-")}
    assert reasons == {
        "lost-1": "unknown_recipient",
        "lost-2": "no_line_id",
        "lost-3": "expired",
        "lost-5": "template_error",
    }


def test_a_wrong_setting_is_one_log_line_without_the_secret(meltano: Meltano) -> None:
    """The other settings are tested without Meltano, in tests/tap_line/test_errors.py."""
    settings = {"TAP_LINE_CHANNEL_ACCESS_TOKEN": "hunter2-token", "TARGET_JSONL_DESTINATION_PATH": "/tmp"}
    printed = meltano("run", "tap-line", "target-jsonl", expect=1, **settings)
    assert "setting: channel_access_token" in printed
    assert "Traceback" not in printed
    assert "hunter2" not in printed
