"""A narrowcast that LINE accepted and that failed later is rejected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import select, update

from line_core.api.response import Response
from line_core.store.tables.ledger import requests
from line_core.store.tables.rejects import rejects
from target_line.sending.narrowcast_progress import check_narrowcasts, has_running_narrowcasts
from tests.support.scripted_line import ACCEPTED, ScriptedLine, SendingRunOnStore

if TYPE_CHECKING:
    from line_core.api.client import LineClient
    from line_core.store import Store
    from tests.support.target_program import TargetProgram

NARROWCAST = {"message_id": "n", "recipient": {"filter": {"demographic": {"type": "age"}}}, "text": "hello"}


class ProgressOfLine:
    """LINE's progress of all narrowcasts."""

    def __init__(self, status: int, **body: Any) -> None:
        self._response = Response("GET x", status, {"x-line-request-id": "p"}, json.dumps(body).encode())
        self.asked: list[str] = []

    async def get(self, _path: str, *, params: dict[str, str]) -> Response:
        self.asked.append(params["requestId"])
        return self._response


async def check(run: SendingRunOnStore, line: ProgressOfLine) -> int:
    return await check_narrowcasts(cast("LineClient", line), run.ledger)


@pytest.fixture
def run(store: Store) -> SendingRunOnStore:
    run = SendingRunOnStore(store)
    run.stage_records([NARROWCAST])
    run.stage(3)
    run.send(ScriptedLine(lambda _body, _attempt: ACCEPTED))
    assert has_running_narrowcasts(run.ledger)
    return run


async def test_a_narrowcast_that_failed_is_rejected_with_the_reason_of_line(run: SendingRunOnStore) -> None:
    line = ProgressOfLine(200, phase="failed", errorCode=2, failedDescription="too few")
    assert await check(run, line) == 1
    assert line.asked == ["r"]
    row = run.rows()["n"]
    assert (row.status, row.reason) == ("rejected", "narrowcast_failed")
    assert row.detail == "error 2, not enough recipients: too few"
    with run.store.read() as connection:
        assert connection.execute(select(rejects.c.reason)).scalars().all() == ["narrowcast_failed"]
    assert not has_running_narrowcasts(run.ledger)
    assert await check(run, line) == 0
    assert len(line.asked) == 1


async def test_a_narrowcast_that_succeeded_stays_accepted(run: SendingRunOnStore) -> None:
    assert await check(run, ProgressOfLine(200, phase="succeeded", successCount=60)) == 0
    assert run.statuses()["n"] == "accepted"
    assert not has_running_narrowcasts(run.ledger)


@pytest.mark.parametrize(
    "line",
    [ProgressOfLine(200, phase="waiting"), ProgressOfLine(200, phase="sending"), ProgressOfLine(404, message="no")],
)
async def test_a_narrowcast_that_is_running_is_asked_about_again(run: SendingRunOnStore, line: ProgressOfLine) -> None:
    assert await check(run, line) == 0
    assert has_running_narrowcasts(run.ledger)


async def test_after_fourteen_days_line_is_not_asked(run: SendingRunOnStore) -> None:
    with run.store.write() as connection:
        connection.execute(update(requests).values(finished_at=datetime.now(UTC) - timedelta(days=15)))
    line = ProgressOfLine(200, phase="failed")
    assert await check(run, line) == 0
    assert line.asked == []
    assert not has_running_narrowcasts(run.ledger)


def test_the_next_run_rejects_a_narrowcast_with_too_few_recipients(sqlite_target: TargetProgram) -> None:
    small_area = {"filter": {"demographic": {"type": "area", "oneOf": ["jp_31"]}}}
    sqlite_target.run(("messages", {"message_id": "n", "recipient": small_area, "text": "hello"}))
    assert sqlite_target.ledger()["n"]["status"] == "accepted"
    sqlite_target.advance_clock(60)
    log = sqlite_target.run()
    assert "LINE accepted the narrowcast n and failed later: error 2, not enough recipients" in log
    row = sqlite_target.ledger()["n"]
    assert (row["status"], row["reason"]) == ("rejected", "narrowcast_failed")
