"""Statistics respect LINE's budget of 60 requests per hour, and continue in the next run."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete

from line_core.api.response import Response
from line_core.errors import LineError
from line_core.line_time import line_date
from line_core.store import open_store
from line_core.store.tables.limits import rate_limits
from tap_line.streams.statistics.insight import InsightFollowers
from tap_line.tap import TapLine
from tests.support import programs
from tests.support.seeded_account import call, seeded_account
from tests.support.tap_program import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = line_date(datetime.now(UTC))
BUDGET = 60


@pytest.fixture
def tap(sqlite_url: str, tmp_path: Path) -> Iterator[Tap]:
    """tap-line with a separate sandbox, whose request budgets other tests do not use."""
    with programs.serve("line-sandbox", "serve", "--port", "0", log=tmp_path / "sandbox.log") as url:
        yield Tap(tmp_path, {"channel_access_token": "sandbox-token", "api_url": url, "store_url": sqlite_url})


def days(records: list[dict[str, Any]]) -> list[date]:
    return [date.fromisoformat(record["date"]) for record in records]


def delete_permits(store_url: str) -> None:
    """Delete the permits of this hour from the store."""
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(delete(rate_limits))


def test_a_long_backfill_takes_several_runs_without_missing_a_day(tap: Tap) -> None:
    start = TODAY - timedelta(days=100)
    settings: dict[str, Any] = {"start_date": start.isoformat()}
    first = tap.run("insight_followers", **settings)
    read = days(first.records["insight_followers"])
    assert read == [start + timedelta(days=number) for number in range(BUDGET)]
    assert "used up" in first.log
    assert "| ERROR" not in first.log

    # First the store refuses more requests in the same hour; then, without the stored permits, LINE does (429).
    for _ in range(2):
        second = tap.run("insight_followers", state=first.state, **settings)
        assert second.records["insight_followers"] == []
        assert second.state == first.state
        assert "used up" in second.log or "status 429" in second.log
        assert "| ERROR" not in second.log
        delete_permits(tap.config["store_url"])

    call(tap.config["api_url"], "POST", "/sandbox/clock", {"advance_seconds": 3600})
    delete_permits(tap.config["store_url"])
    third = tap.run("insight_followers", state=second.state, **settings)
    read += days(third.records["insight_followers"])
    assert read == [start + timedelta(days=number) for number in range(len(read))]
    assert read[-1] >= TODAY - timedelta(days=2)


def test_a_run_on_the_next_day_reads_the_new_day_and_the_lookback_days(tap: Tap) -> None:
    first = tap.run("insight_followers", "message_deliveries")
    last = days(first.records["insight_followers"])[-1]
    call(tap.config["api_url"], "POST", "/sandbox/clock", {"advance_seconds": 24 * 3600})
    second = tap.run("insight_followers", "message_deliveries", state=first.state)
    again = days(second.records["insight_followers"])
    assert again[-1] == last + timedelta(days=1)
    assert again[0] == TODAY - timedelta(days=3)
    kinds = {record["type"] for record in second.records["message_deliveries"]}
    assert kinds == {"reply", "push", "multicast", "broadcast"}


@pytest.mark.parametrize(
    ("body", "records"),
    [
        ({"status": "ready", "followers": 5}, [{"followers": 5, "date": "2026-01-01"}]),
        ({"status": "ready"}, [{"date": "2026-01-01"}]),
        ({"status": "unready"}, None),
        ({"status": "out_of_service"}, []),
    ],
)
def test_only_a_ready_day_has_figures(
    monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], records: list[dict[str, Any]] | None
) -> None:
    response = Response("GET /v2/bot/insight/followers", 200, {}, json.dumps(body).encode())
    monkeypatch.setattr(InsightFollowers, "fetch", lambda *_: response)
    stream = InsightFollowers(TapLine(config={}, validate_config=False, setup_mapper=False))
    assert stream.read_day(date(2026, 1, 1)) == records


def test_an_unknown_status_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    response = Response("GET /v2/bot/insight/followers", 200, {}, b'{"status": "later"}')
    monkeypatch.setattr(InsightFollowers, "fetch", lambda *_: response)
    stream = InsightFollowers(TapLine(config={}, validate_config=False, setup_mapper=False))
    with pytest.raises(LineError, match="unknown status 'later'"):
        stream.read_day(date(2026, 1, 1))


def test_interaction_statistics_are_read_again_until_they_are_final(tmp_path: Path) -> None:
    with seeded_account(tmp_path, followers=100, events=20) as settings:
        tap = Tap(tmp_path, settings)
        streams = ("message_event_statistics", "unit_statistics", "narrowcast_progress")
        first = tap.run(*streams)
        again = tap.run(*streams, state=first.state)
    assert len(first.records["message_event_statistics"]) == 2
    assert again.records["message_event_statistics"] != []
    assert set(first.state["bookmarks"]["message_event_statistics"]["reads"]["last"]) == {
        record["request_id"] for record in first.records["message_event_statistics"]
    }
    (unit,) = again.records["unit_statistics"]
    assert unit["from_date"] == TODAY.replace(day=1).isoformat()
    assert unit["to_date"] == TODAY.isoformat()
    (narrowcast,) = first.records["narrowcast_progress"]
    assert narrowcast["phase"] in {"waiting", "sending", "succeeded", "failed"}
