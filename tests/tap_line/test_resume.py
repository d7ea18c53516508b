"""A killed run continues from its state: no record is missing, and confirmed records are not fetched again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from line_core.store import open_store
from tests.support import programs
from tests.support.inbox_events import event, receive
from tests.support.tap_program import Tap, last_state, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLLOWERS = 2_500
EVENTS = 12_000


@pytest.fixture(scope="module")
def busy_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a sandbox with several pages of followers and a latency of 30 ms."""
    command = ("line-sandbox", "serve", "--port", "0", "--followers", str(FOLLOWERS), "--latency-ms", "30")
    with programs.serve(*command, log=tmp_path_factory.mktemp("sandbox") / "log") as url:
        yield url


@pytest.fixture
def tap(busy_sandbox: str, sqlite_url: str, tmp_path: Path) -> Tap:
    return Tap(tmp_path, {"channel_access_token": "sandbox-token", "api_url": busy_sandbox, "store_url": sqlite_url})


def run_and_kill(tap: Tap, stream: str, after_records: int, **settings: Any) -> list[dict[str, Any]]:
    """Kill a run (SIGKILL) after some records, and return the messages that it wrote."""
    process = tap.start(stream, **settings)
    assert process.stdout
    lines, records = [], 0
    for line in process.stdout:
        lines.append(line)
        records += '"RECORD"' in line
        if records == after_records:
            process.kill()
    assert process.stderr
    process.stderr.close()
    process.stdout.close()
    assert process.wait(10) == -9
    return parse("".join(lines))


def keys_before_last_state(messages: list[dict[str, Any]], key: str) -> set[str]:
    """Return the keys of the records before the last STATE message, which the target has confirmed."""
    last = max((at for at, message in enumerate(messages) if message["type"] == "STATE"), default=0)
    return {message["record"][key] for message in messages[:last] if message["type"] == "RECORD"}


@pytest.mark.parametrize(("stream", "after"), [("followers", 1_500), ("profiles", 1_500), ("profiles", 2_100)])
def test_a_listing_continues_at_the_page_where_it_was_interrupted(tap: Tap, stream: str, after: int) -> None:
    killed = run_and_kill(tap, stream, after)
    before = keys_before_last_state(killed, "line_id")
    assert before
    rest = tap.run(stream, state=last_state(killed))
    found = [record["line_id"] for record in rest.records[stream]]
    assert len(set(found)) == len(found) < FOLLOWERS
    assert len(before | set(found)) == FOLLOWERS
    assert not before & set(found)


def test_a_run_killed_before_the_first_state_starts_from_the_beginning(tap: Tap) -> None:
    killed = run_and_kill(tap, "profiles", 500)
    rest = tap.run("profiles", state=last_state(killed))
    assert len(rest.records["profiles"]) == FOLLOWERS


@pytest.mark.parametrize("stream", ["events", "follows", "friendships"])
def test_the_inbox_is_read_from_the_position_in_the_state(tap: Tap, stream: str) -> None:
    with open_store(tap.config["store_url"]) as store:
        receive(store, (event(at, "follow", f"U{at:032x}") for at in range(EVENTS)))
    killed = run_and_kill(tap, stream, 10_500)
    before = keys_before_last_state(killed, "line_id")
    assert len(before) >= 10_000
    rest = tap.run(stream, state=last_state(killed))
    after = {record["line_id"] for record in rest.records[stream]}
    assert len(before | after) == EVENTS
    assert not before & after
    assert tap.run(stream, state=rest.state).records[stream] == []


def test_confirmed_profiles_are_fresh_and_unconfirmed_profiles_are_not(tap: Tap) -> None:
    killed = run_and_kill(tap, "profiles", 1_500, refresh_profiles_after_days=7)
    before = keys_before_last_state(killed, "line_id")
    # Without the listing position, all people are listed again, and only fresh profiles are left out.
    state = json.loads(json.dumps(last_state(killed)))
    del state["bookmarks"]["profiles"]["scan"]
    rest = tap.run("profiles", state=state, refresh_profiles_after_days=7)
    found = {record["line_id"] for record in rest.records["profiles"]}
    assert len(before | found) == FOLLOWERS
    assert not before & found
    assert tap.run("profiles", state=rest.state, refresh_profiles_after_days=7).records["profiles"] == []
    assert len(tap.run("profiles", refresh_profiles_after_days=7).records["profiles"]) == FOLLOWERS


def test_profiles_of_another_pipeline_are_not_fresh(tap: Tap) -> None:
    first = tap.run("profiles", refresh_profiles_after_days=7)
    other = json.loads(json.dumps(first.state))
    other["bookmarks"]["profiles"]["pipeline"] = "another"
    assert len(tap.run("profiles", state=other, refresh_profiles_after_days=7).records["profiles"]) == FOLLOWERS


def test_a_state_of_another_store_is_an_error(tap: Tap) -> None:
    with open_store(tap.config["store_url"]) as store:
        receive(store, [event(at, "follow", f"U{at:032x}") for at in range(10)])
    state = tap.run("events").state
    other = f"sqlite:///{tap.directory / 'other.db'}"
    open_store(other).close()
    output = tap.run("events", state=state, store_url=other, expect=1)
    assert "it is another store; reset the stream's state" in output.errors[0]


def test_no_request_exceeds_line_s_rate_limit(tap: Tap, busy_sandbox: str) -> None:
    tap.run("profiles")
    seen = requests.get(f"{busy_sandbox}/sandbox/summary", timeout=30).json()["requests"]
    assert "429" not in seen["GET /v2/bot/profile/{userId}"]
