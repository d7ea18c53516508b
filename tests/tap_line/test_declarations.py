"""Declarations of the streams. A forgotten step of "how to add a stream" fails one of these tests."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from line_core.api.endpoints import endpoint_of
from tap_line import streams
from tap_line.base.api_stream import ApiStream
from tap_line.base.described_stream import DescribedStream
from tap_line.streams import STREAMS
from tap_line.tap import TapLine

if TYPE_CHECKING:
    from collections.abc import Iterator

TAP = TapLine(config={}, validate_config=False, setup_mapper=False)
REQUIRED = """
    bot_info bots message_quota message_deliveries followers profiles groups group_members rich_menus
    rich_menu_aliases user_rich_menus memberships membership_users coupons audience_groups insight_followers
    insight_message_deliveries insight_demographics aggregation_units unit_statistics message_event_statistics
    rich_menu_statistics narrowcast_progress events follows message_contents friendships deliveries identities
    merges rejects
"""


def columns(properties: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, column in properties.items():
        found.append((f"{path}{name}", column))
        inner = column.get("items", column)
        found += columns(inner.get("properties", {}), f"{path}{name}.")
    return found


def stream_classes() -> Iterator[type[DescribedStream]]:
    """Yield all stream classes that are defined in `tap_line/streams`."""
    for module in pkgutil.walk_packages(streams.__path__, f"{streams.__name__}."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(member, DescribedStream) and member.__module__ == module.name and member.name:
                yield member


def test_every_stream_class_is_in_streams() -> None:
    missing = sorted(stream.__name__ for stream in stream_classes() if stream not in STREAMS)
    assert missing == [], "add these classes to STREAMS in tap_line/streams/__init__.py"


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_stream_has_keys_and_descriptions_of_itself_and_its_columns(stream: type[DescribedStream]) -> None:
    assert inspect.cleandoc(stream.__doc__ or "").partition("\n")[0] == stream.schema["description"]
    assert stream.schema["description"]
    properties = stream.schema["properties"]
    keys = stream(TAP).primary_keys
    assert keys
    assert set(keys) <= set(stream.schema["required"])
    undescribed = [name for name, column in columns(properties) if not column.get("description")]
    assert undescribed == [], "these columns need a description"
    assert all(name == name.lower() for name in properties)


@pytest.mark.parametrize(
    "stream", [each for each in STREAMS if issubclass(each, ApiStream)], ids=lambda stream: stream.name
)
def test_every_api_path_belongs_to_a_known_endpoint(stream: type[ApiStream]) -> None:
    path = stream(TAP).path
    # `endpoint_of` raises an error for a path without a template.
    endpoint = endpoint_of("GET", re.sub(r"{\w+}", "x", path.replace("{type}", "push")))
    assert endpoint.count("/") == path.count("/")


def test_all_required_streams_exist_and_names_are_unique() -> None:
    names = [stream.name for stream in STREAMS]
    assert len(set(names)) == len(names)
    assert set(REQUIRED.split()) <= set(names)


def test_discovery_works_without_settings_and_lists_replication_methods() -> None:
    methods = {stream["tap_stream_id"]: stream["replication_method"] for stream in TAP.catalog_dict["streams"]}
    full = {name for name, method in methods.items() if method == "FULL_TABLE"}
    assert {"events", "follows", "friendships", "profiles", "insight_followers", "deliveries"}.isdisjoint(full)
    assert {"followers", "bot_info"} <= full


def test_descriptions_do_not_depend_on_docstrings() -> None:
    command = [sys.executable, "-OO", "-c", "from tap_line.tap import TapLine; TapLine.cli()", "--discover"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = {stream["tap_stream_id"]: stream["schema"]["description"] for stream in TAP.catalog_dict["streams"]}
    assert {s["tap_stream_id"]: s["schema"]["description"] for s in json.loads(found)["streams"]} == expected


def test_secret_settings_are_marked() -> None:
    properties = TapLine.config_jsonschema["properties"]
    secrets = {name for name, setting in properties.items() if setting.get("secret")}
    assert secrets == {"channel_access_token", "channel_secret", "assertion_key", "store_url"}


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_the_about_page_lists_the_settings(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    TapLine.print_about(form)
    shown = capsys.readouterr().out
    assert "refresh_profiles_after_days" in shown
    assert form != "json" or json.loads(shown)["name"] == "tap-line"
