"""What the streams yield from an account with a history, and the SDK's features on them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from jsonschema import Draft202012Validator

from tap_line.streams import STREAMS
from tests.support.people import line_id
from tests.support.seeded_account import UNIT, call, line_ids, seeded_account
from tests.support.tap_program import Output, Tap


@pytest.fixture(scope="module")
def everything(seeded_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Output:
    """One run of all streams."""
    return Tap(tmp_path_factory.mktemp("everything"), seeded_settings).run()


@pytest.fixture
def tap(seeded_settings: dict[str, Any], tmp_path: Path) -> Tap:
    return Tap(tmp_path, seeded_settings)


def test_every_stream_has_records_and_each_fits_the_schema(everything: Output) -> None:
    for stream in STREAMS:
        records = everything.records[stream.name]
        assert records, stream.name
        validator = Draft202012Validator(
            everything.schemas[stream.name]["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for record in records:
            validator.validate(record)
        keys = everything.schemas[stream.name]["key_properties"]
        assert len({tuple(record[key] for key in keys) for record in records}) == len(records), stream.name


def test_no_secret_is_in_any_message_or_log_line(everything: Output, seeded_settings: dict[str, Any]) -> None:
    written = json.dumps(everything.messages) + everything.log
    assert "sandbox-token" not in written
    assert "sandbox-secret" not in written
    assert seeded_settings["store_url"] not in everything.log


def test_a_second_run_brings_only_what_is_new_of_incremental_streams(tap: Tap, everything: Output) -> None:
    again = tap.run("events", "follows", "friendships", "merges", state=everything.state)
    assert {name: len(records) for name, records in again.records.items()} == {"merges": 1}


def test_follows_are_the_follow_events_of_the_inbox(everything: Output) -> None:
    follows = [event for event in everything.records["events"] if event["type"] in {"follow", "unfollow"}]
    assert [follow["webhook_event_id"] for follow in everything.records["follows"]] == [
        event["webhook_event_id"] for event in follows
    ]


def test_friendships_agree_with_line_s_list(everything: Output) -> None:
    listed = {record["line_id"] for record in everything.records["followers"]}
    following = {
        record["line_id"] for record in everything.records["friendships"] if record["follow_state"] == "following"
    }
    assert listed <= following


def test_profiles_of_both_sources_come_once_and_tell_who_cannot_be_reached(everything: Output) -> None:
    listed = {record["line_id"] for record in everything.records["followers"]}
    profiles = {record["line_id"]: record for record in everything.records["profiles"]}
    senders = {event["line_id"] for event in everything.records["events"] if event["line_id"]}
    assert listed | senders == set(profiles)
    assert all(profiles[line_id]["is_reachable"] for line_id in listed)
    gone = [record for record in profiles.values() if not record["is_reachable"]]
    assert gone
    assert all(record["display_name"] is None for record in gone)


def test_statistics_of_campaigns_keep_null_as_null(everything: Output) -> None:
    (unit,) = everything.records["unit_statistics"]
    assert unit["unit"] == UNIT
    for event in everything.records["message_event_statistics"]:
        assert "unique_impression" in event
        assert event["unique_impression"] is None or event["unique_impression"] >= 20
    methods = {record["method"] for record in everything.records["deliveries"]}
    assert methods == {"broadcast", "narrowcast", "multicast"}


def test_members_of_groups_are_those_that_line_lists(everything: Output) -> None:
    by_group: dict[str, int] = {}
    for member in everything.records["group_members"]:
        by_group[member["group_id"]] = by_group.get(member["group_id"], 0) + 1
    counts = {group["group_id"]: group["member_count"] for group in everything.records["groups"] if group["is_member"]}
    assert counts
    assert by_group == counts


def test_state_ends_without_markers(everything: Output) -> None:
    written = json.dumps(everything.state)
    for marker in ("progress_markers", "starting_replication_value", "replication_key_signpost", '"scan"'):
        assert marker not in written


def test_columns_can_be_deselected_and_streams_mapped(tap: Tap) -> None:
    maps = {
        "profiles": {"__alias__": "people", "name": "display_name", "display_name": None},
        "bot_info": "__NULL__",
    }
    output = tap.run("profiles", "bot_info", stream_maps=maps)
    assert set(output.records) == {"people"}
    assert all("display_name" not in record for record in output.records["people"])
    assert any(record["name"] for record in output.records["people"])


def test_one_record_of_each_stream_is_enough_for_the_connection_test(tap: Tap) -> None:
    (tap.directory / "config.json").write_text(json.dumps(tap.config))
    done = tap.call("--config", "config.json", "--test")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_batches_hold_what_records_would(tap: Tap) -> None:
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


def test_a_token_that_ends_in_mid_run_is_replaced(tap: Tap) -> None:
    fault = {"method": "GET", "path": "/v2/bot/followers/ids", "kind": "status", "status": 401, "count": 1}
    call(tap.config["api_url"], "POST", "/sandbox/faults", fault)
    output = tap.run("followers", channel_access_token=None, channel_id="1234567890", channel_secret="sandbox-secret")
    assert len(output.records["followers"]) == len(line_ids(tap.config["api_url"], 1000))
    assert output.log.count("issued a channel access token") == 2


@pytest.mark.parametrize("kind", ["drop_before", "timeout", "status"])
def test_trouble_on_the_way_is_tried_again(tap: Tap, kind: str) -> None:
    for path in ("/v2/bot/profile/", "/v2/bot/followers/ids", "/v2/bot/info"):
        fault = {"method": "GET", "path": path, "kind": kind, "status": 503, "seconds": 1, "count": 2}
        call(tap.config["api_url"], "POST", "/sandbox/faults", fault)
    output = tap.run("bot_info", "followers", "profiles")
    assert len(output.records["profiles"]) >= len(output.records["followers"]) > 0
    assert "trying again" in output.log


def test_an_account_that_may_not_list_followers_still_has_them(tmp_path: Path) -> None:
    with seeded_account(tmp_path, "--unverified", followers=50, events=200) as settings:
        output = Tap(tmp_path, {**settings, "profile_source": "followers"}).run()
        listed = requests.get(f"{settings['api_url']}/sandbox/users", timeout=30).json()["line_ids"]
        again = Tap(tmp_path, settings).run("followers", state=output.state)
    assert "verified and premium accounts only" in output.log
    assert "| ERROR" not in output.log
    assert {record["evidence"] for record in output.records["followers"]} <= {"webhook", "profile_check"}
    # Who blocked the account without an event is found out by the profile.
    assert len({record["line_id"] for record in output.records["followers"]} - set(listed)) == 1
    assert {record["line_id"] for record in again.records["followers"]} <= set(listed)
    senders = {event["line_id"] for event in output.records["events"] if event["line_id"]}
    assert {record["line_id"] for record in output.records["profiles"]} == senders
    # The profiles of the first run are evidence in the second.
    assert {record["evidence"] for record in again.records["followers"]} == {"webhook", "profile_check"}
    assert output.records["group_members"]
    # Nor is it a module channel.
    assert output.records["bots"] == []


def test_the_bots_of_a_module_channel_are_all_listed(everything: Output) -> None:
    assert len(everything.records["bots"]) == 250
    assert everything.records["bots"][0]["basic_id"].startswith("@")


def test_a_full_list_reveals_who_left_while_no_receiver_ran(tmp_path: Path) -> None:
    with seeded_account(tmp_path, followers=60, events=100) as settings:
        tap = Tap(tmp_path, settings)
        first = tap.run("followers", "friendships")
        gone = sorted(record["line_id"] for record in first.records["followers"])[:3]
        for line_id in gone:
            call(settings["api_url"], "POST", f"/sandbox/users/{line_id}", {"state": "blocked"})
        second = tap.run("followers", "friendships", "profiles", state=first.state)
        call(settings["api_url"], "POST", f"/sandbox/users/{gone[0]}", {"state": "following"})
        third = tap.run("followers", "friendships", state=second.state)
    changed = {record["line_id"]: record for record in second.records["friendships"]}
    assert sorted(changed) == gone
    assert {(record["follow_state"], record["evidence"]) for record in changed.values()} == {
        ("unfollowed", "followers_api")
    }
    unreachable = {record["line_id"] for record in second.records["profiles"] if not record["is_reachable"]}
    assert set(gone) <= unreachable
    (back,) = third.records["friendships"]
    assert (back["line_id"], back["follow_state"]) == (gone[0], "following")
    assert [piece["what"] for piece in back["history"]][-2:] == ["missing", "listed"]


def test_identities_are_the_people_and_those_that_went_into_another(everything: Output) -> None:
    found = {record["profile"]: record for record in everything.records["identities"]}
    aoi, ren = found["id:1"], found["id:2"]
    assert (aoi["line_id"], aoi["attributes"], aoi["merged_into"]) == (line_id(1), {"name": "Aoi"}, None)
    assert aoi["line_ids"] == [
        {"line_id": line_id(1), "provider": "default", "follow_state": "following", "is_canonical": True}
    ]
    assert (ren["email"], ren["line_ids"]) == ("ren@example.com", [])
    gone = found[f"line_id:default/{line_id(1)}"]
    assert gone["merged_into"] == "id:1"


def test_contents_are_fetched_into_the_directory_and_described(
    everything: Output, seeded_settings: dict[str, Any]
) -> None:
    contents = everything.records["message_contents"]
    fetched = [record for record in contents if record["is_available"]]
    assert fetched
    for record in fetched:
        file = Path(record["file_path"])
        assert file.parent == Path(seeded_settings["content_directory"])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == record["sha256"]
        assert (record["size"], record["type"]) == (file.stat().st_size, record["type"])
    assert not list(Path(seeded_settings["content_directory"]).glob("*.part"))
