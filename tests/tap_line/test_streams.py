"""Records of all streams from a seeded account, and SDK features: stream maps, batches, connection test."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from jsonschema import Draft202012Validator
from linebot.v3 import audience, insight, messaging, module
from sqlalchemy import select

from line_core.store import open_store
from line_core.store.tables.limits import rate_limits
from tap_line.streams import STREAMS
from tests.support.people import line_id
from tests.support.seeded_account import UNIT, call, line_ids, seeded_account
from tests.support.short_pauses import SHORT_PAUSES
from tests.support.tap_program import Output, Tap


@pytest.fixture(scope="module")
def all_streams(seeded_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Output:
    """Run all streams once."""
    return Tap(tmp_path_factory.mktemp("all-streams"), seeded_settings).run()


@pytest.fixture
def tap(seeded_settings: dict[str, Any], tmp_path: Path) -> Tap:
    return Tap(tmp_path, seeded_settings)


def test_every_stream_has_records_that_fit_the_schema(all_streams: Output) -> None:
    for stream in STREAMS:
        records = all_streams.records[stream.name]
        assert records, stream.name
        validator = Draft202012Validator(
            all_streams.schemas[stream.name]["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for record in records:
            validator.validate(record)
        keys = all_streams.schemas[stream.name]["key_properties"]
        assert len({tuple(record[key] for key in keys) for record in records}) == len(records), stream.name


def documented_paths() -> set[str]:
    """Return the path templates of LINE's OpenAPI description, from LINE's own SDK, with unnamed parameters."""
    sources = [
        source
        for package in (audience, insight, messaging, module)
        for source in (Path(str(package.__file__)).parent / "api").glob("*.py")
        if not source.name.startswith("async_")
    ]
    templates = {path for source in sources for path in re.findall(r"'(/v2/bot/[^']+)'", source.read_text())}
    assert "/v2/bot/profile/{userId}" in templates
    return {re.sub(r"{\w+}", "{}", template) for template in templates}


def test_every_request_belongs_to_an_endpoint_that_line_documents(
    all_streams: Output, seeded_settings: dict[str, Any]
) -> None:
    assert all_streams.exit_code == 0
    with open_store(seeded_settings["store_url"]) as store, store.read() as connection:
        endpoints = set(connection.scalars(select(rate_limits.c.endpoint)))
    paths = {re.sub(r"{\w+}", "{}", endpoint.removeprefix("GET ")) for endpoint in endpoints}
    assert "/v2/bot/profile/{}" in paths
    assert paths <= documented_paths(), "add path templates to line_core/api/endpoints.py"


def test_no_message_or_log_line_contains_a_secret(all_streams: Output, seeded_settings: dict[str, Any]) -> None:
    written = json.dumps(all_streams.messages) + all_streams.log
    assert "sandbox-token" not in written
    assert "sandbox-secret" not in written
    assert seeded_settings["store_url"] not in all_streams.log


def test_a_second_run_of_incremental_streams_emits_only_new_records(tap: Tap, all_streams: Output) -> None:
    again = tap.run("events", "follows", "friendships", "merges", state=all_streams.state)
    assert {name: len(records) for name, records in again.records.items()} == {"merges": 1}


def test_follows_are_the_follow_events_of_the_inbox(all_streams: Output) -> None:
    follows = [event for event in all_streams.records["events"] if event["type"] in {"follow", "unfollow"}]
    assert [follow["webhook_event_id"] for follow in all_streams.records["follows"]] == [
        event["webhook_event_id"] for event in follows
    ]


def test_listed_followers_have_the_follow_state_following(all_streams: Output) -> None:
    listed = {record["line_id"] for record in all_streams.records["followers"]}
    following = {
        record["line_id"] for record in all_streams.records["friendships"] if record["follow_state"] == "following"
    }
    assert listed <= following


def test_profiles_of_both_sources_are_emitted_once_with_reachability(all_streams: Output) -> None:
    listed = {record["line_id"] for record in all_streams.records["followers"]}
    profiles = {record["line_id"]: record for record in all_streams.records["profiles"]}
    senders = {event["line_id"] for event in all_streams.records["events"] if event["line_id"]}
    assert listed | senders == set(profiles)
    assert all(profiles[line_id]["is_reachable"] for line_id in listed)
    unreachable = [record for record in profiles.values() if not record["is_reachable"]]
    assert unreachable
    assert all(record["display_name"] is None for record in unreachable)


def test_hidden_figures_of_interaction_statistics_are_null(all_streams: Output) -> None:
    (unit,) = all_streams.records["unit_statistics"]
    assert unit["unit"] == UNIT
    for event in all_streams.records["message_event_statistics"]:
        assert "unique_impression" in event
        assert event["unique_impression"] is None or event["unique_impression"] >= 20
    methods = {record["method"] for record in all_streams.records["deliveries"]}
    assert methods == {"broadcast", "narrowcast", "multicast"}


def test_group_members_match_line_s_member_count(all_streams: Output) -> None:
    by_group: dict[str, int] = {}
    for member in all_streams.records["group_members"]:
        by_group[member["group_id"]] = by_group.get(member["group_id"], 0) + 1
    counts = {group["group_id"]: group["member_count"] for group in all_streams.records["groups"] if group["is_member"]}
    assert counts
    assert by_group == counts


def test_the_final_state_has_no_temporary_markers(all_streams: Output) -> None:
    written = json.dumps(all_streams.state)
    for marker in ("progress_markers", "starting_replication_value", "replication_key_signpost", '"scan"'):
        assert marker not in written


def test_stream_maps_rename_and_remove_columns_and_streams(tap: Tap) -> None:
    maps = {
        "profiles": {"__alias__": "people", "name": "display_name", "display_name": None},
        "bot_info": "__NULL__",
    }
    output = tap.run("profiles", "bot_info", stream_maps=maps)
    assert set(output.records) == {"people"}
    assert all("display_name" not in record for record in output.records["people"])
    assert any(record["name"] for record in output.records["people"])


def test_the_connection_test_succeeds(tap: Tap) -> None:
    (tap.directory / "config.json").write_text(json.dumps(tap.config))
    done = tap.call("--config", "config.json", "--test")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_batches_contain_the_same_number_of_records(tap: Tap) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tap.directory}", "prefix": "b-"},
    }
    output = tap.run("profiles", "events", batch_config=batches)
    found: dict[str, int] = {}
    for message in output.messages:
        for url in message.get("manifest", []):
            lines = gzip.decompress(Path(urlsplit(url).path).read_bytes()).splitlines()
            found[message["stream"]] = found.get(message["stream"], 0) + len(lines)
    alone = tap.run("profiles", "events")
    assert found == {name: len(records) for name, records in alone.records.items()}


def test_a_token_that_expires_during_a_run_is_replaced(tap: Tap) -> None:
    fault = {"method": "GET", "path": "/v2/bot/followers/ids", "kind": "status", "status": 401, "count": 1}
    call(tap.config["api_url"], "POST", "/sandbox/faults", fault)
    output = tap.run("followers", channel_access_token=None, channel_id="1234567890", channel_secret="sandbox-secret")
    assert len(output.records["followers"]) == len(line_ids(tap.config["api_url"], 1000))
    assert output.log.count("issued a channel access token") == 2


@pytest.mark.parametrize("kind", ["drop_before", "timeout", "status"])
def test_transient_failures_are_retried(tap: Tap, kind: str) -> None:
    for path in ("/v2/bot/profile/", "/v2/bot/followers/ids", "/v2/bot/info"):
        fault = {"method": "GET", "path": path, "kind": kind, "status": 503, "seconds": 1, "count": 2}
        call(tap.config["api_url"], "POST", "/sandbox/faults", fault)
    tap.patches.update(SHORT_PAUSES)
    output = tap.run("bot_info", "followers", "profiles")
    assert len(output.records["profiles"]) >= len(output.records["followers"]) > 0
    assert "retrying in" in output.log


def test_an_unverified_account_gets_followers_by_evidence(tmp_path: Path) -> None:
    with seeded_account(tmp_path, "--unverified", followers=50, events=200) as settings:
        output = Tap(tmp_path, {**settings, "profile_source": "followers"}).run()
        listed = requests.get(f"{settings['api_url']}/sandbox/users", timeout=30).json()["line_ids"]
        again = Tap(tmp_path, settings).run("followers", state=output.state)
    assert "verified and premium accounts only" in output.log
    assert "| ERROR" not in output.log
    assert {record["evidence"] for record in output.records["followers"]} <= {"webhook", "profile_check"}
    # One person blocked the account without an event. Only the profile check reveals it.
    assert len({record["line_id"] for record in output.records["followers"]} - set(listed)) == 1
    assert {record["line_id"] for record in again.records["followers"]} <= set(listed)
    senders = {event["line_id"] for event in output.records["events"] if event["line_id"]}
    assert {record["line_id"] for record in output.records["profiles"]} == senders
    # The profile checks of the first run are evidence in the second run.
    assert {record["evidence"] for record in again.records["followers"]} == {"webhook", "profile_check"}
    assert output.records["group_members"]
    # The account is not a module channel either.
    assert output.records["bots"] == []


def test_the_bots_of_a_module_channel_are_all_listed(all_streams: Output) -> None:
    assert len(all_streams.records["bots"]) == 250
    assert all_streams.records["bots"][0]["basic_id"].startswith("@")


def test_a_complete_list_reveals_unfollows_without_events(tmp_path: Path) -> None:
    with seeded_account(tmp_path, followers=60, events=100) as settings:
        tap = Tap(tmp_path, settings)
        first = tap.run("followers", "friendships")
        blocked = sorted(record["line_id"] for record in first.records["followers"])[:3]
        for line_id in blocked:
            call(settings["api_url"], "POST", f"/sandbox/users/{line_id}", {"state": "blocked"})
        second = tap.run("followers", "friendships", "profiles", state=first.state)
        call(settings["api_url"], "POST", f"/sandbox/users/{blocked[0]}", {"state": "following"})
        third = tap.run("followers", "friendships", state=second.state)
    changed = {record["line_id"]: record for record in second.records["friendships"]}
    assert sorted(changed) == blocked
    assert {(record["follow_state"], record["evidence"]) for record in changed.values()} == {
        ("unfollowed", "followers_api")
    }
    unreachable = {record["line_id"] for record in second.records["profiles"] if not record["is_reachable"]}
    assert set(blocked) <= unreachable
    (refollowed,) = third.records["friendships"]
    assert (refollowed["line_id"], refollowed["follow_state"]) == (blocked[0], "following")
    assert [piece["what"] for piece in refollowed["history"]][-2:] == ["missing", "listed"]


def test_identities_contain_profiles_and_merged_profiles(all_streams: Output) -> None:
    found = {record["profile"]: record for record in all_streams.records["identities"]}
    aoi, ren = found["id:1"], found["id:2"]
    assert (aoi["line_id"], aoi["attributes"], aoi["merged_into"]) == (line_id(1), {"name": "Aoi"}, None)
    assert aoi["line_ids"] == [
        {"line_id": line_id(1), "provider": "default", "follow_state": "following", "is_canonical": True}
    ]
    assert (ren["email"], ren["line_ids"]) == ("ren@example.com", [])
    merged = found[f"line_id:default/{line_id(1)}"]
    assert merged["merged_into"] == "id:1"


def test_contents_are_downloaded_with_metadata(all_streams: Output, seeded_settings: dict[str, Any]) -> None:
    contents = all_streams.records["message_contents"]
    fetched = [record for record in contents if record["is_available"]]
    assert fetched
    for record in fetched:
        file = Path(record["file_path"])
        assert file.parent == Path(seeded_settings["content_directory"])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == record["sha256"]
        assert (record["size"], record["type"]) == (file.stat().st_size, record["type"])
    assert not list(Path(seeded_settings["content_directory"]).glob("*.part"))
