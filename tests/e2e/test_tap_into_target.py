"""tap-line's streams, fed straight into target-line, give the follow states that the tap's store knows."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
import requests

from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from tap_line.follow_evidence.evidence_sql import read_friendships
from target_line.identity.repository import IdentityRepository
from target_line.target import TargetLine
from tests.support import programs
from tests.support.inbox_events import event, receive
from tests.support.tap_program import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from line_core.follow_state import FollowState

STREAMS = ("followers", "follows", "friendships", "profiles")
STRANGER = "U" + "f" * 32


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """URL of a sandbox with few followers."""
    options = ("--port", "0", "--followers", "8", "--seed", "1")
    with programs.serve("line-sandbox", "serve", *options, log=tmp_path / "sandbox.log") as url:
        yield url


@pytest.fixture
def tap(sandbox: str, sqlite_url: str, tmp_path: Path) -> Tap:
    credentials = {"channel_access_token": "sandbox-token", "api_url": sandbox, "api_data_url": sandbox}
    return Tap(tmp_path, {**credentials, "store_url": sqlite_url, "profile_source": "both"})


def states_of_tap(store_url: str, channel: str, people: list[str]) -> dict[str, FollowState]:
    with open_store(store_url) as store, store.read() as connection:
        friendships = read_friendships(connection, channel, people)
    return {line_id: friendship.state for line_id, friendship in friendships.items()}


def states_of_target(store_url: str, channel: str) -> dict[str, FollowState]:
    with open_store(store_url) as store:
        profiles = IdentityRepository(store, MergePolicy(), channel).profiles()
        return {account.line_id: account.follow_state for each in profiles for account in each.line_accounts}


def test_the_follow_states_of_each_channel_are_those_of_the_tap(
    tap: Tap,
    sqlite_url: str,
    new_sqlite_store: Callable[[Path], str],
    tmp_path: Path,
    sandbox: str,
) -> None:
    people: list[str] = requests.get(f"{sandbox}/sandbox/users", timeout=10).json()["line_ids"]
    stayed, left, returned, blocked, unknown, *others = people
    with open_store(sqlite_url) as store:
        receive(store, [event(1, "follow", left), event(2, "unfollow", left), event(3, "unfollow", returned)])
        receive(store, [event(4, "follow", returned), event(5, "follow", STRANGER), event(6, "message", unknown)])
        shop = [event(7, "follow", blocked), event(8, "unfollow", stayed), event(9, "follow", stayed)]
        receive(store, [*shop, event(10, "unfollow", others[0])], channel="shop")
    first = tap.run(*STREAMS)
    for line_id in (blocked, left):
        requests.post(f"{sandbox}/sandbox/users/{line_id}", json={"state": "blocked"}, timeout=10).raise_for_status()
    second = tap.run(*STREAMS, state=first.state)

    messages = [each for each in (*first.messages, *second.messages) if each["type"] in ("SCHEMA", "RECORD")]
    shuffled = [each for each in messages if each["type"] == "RECORD"]
    random.Random(1).shuffle(shuffled)
    schemas: list[dict[str, Any]] = [each for each in messages if each["type"] == "SCHEMA"]
    everybody = [*people, STRANGER]
    for number, order in enumerate((messages, [*schemas, *shuffled])):
        store_url = new_sqlite_store(tmp_path / f"target-{number}.db")
        target = TargetLine(config={"store_url": store_url})
        target.listen(io.StringIO("".join(json.dumps(each) + "\n" for each in order)))
        for channel in ("main", "shop"):
            known = states_of_tap(sqlite_url, channel, everybody)
            found = states_of_target(store_url, channel)
            assert {line_id: found[line_id] for line_id in known} == known
    names = {
        each["record"]["line_id"]: each["record"]["display_name"]
        for each in second.messages
        if "display_name" in each.get("record", {})
    }
    with open_store(store_url) as store:
        profiles = {each.key.value: each for each in IdentityRepository(store, MergePolicy()).profiles()}
    assert profiles[stayed].attributes["display_name"] == names[stayed]
    assert "observed_at" not in profiles[stayed].attributes
