"""User errors end a run with one line that names the setting, without traceback or secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.short_pauses import SHORT_PAUSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.tap_program import Output, Tap

SECRET = "very-secret-thing"


def assert_one_line(output: Output, *parts: str) -> None:
    assert len(output.errors) == 1, output.log
    for part in parts:
        assert part in output.errors[0]
    assert "Traceback" not in output.log
    assert SECRET not in output.log
    assert SECRET not in json.dumps(output.messages)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"channel_access_token": SECRET}, ["status 401", "request ", "setting: channel_access_token"]),
        ({"channel_access_token": None}, ["no credentials", "setting: channel_access_token"]),
        (
            {"channel_access_token": None, "channel_id": "1234567890", "channel_secret": SECRET},
            ["POST /oauth2/v3/token", "setting: channel_secret"],
        ),
        ({"channel_access_token": None, "channel_secret": SECRET}, ["setting: channel_id"]),
        ({"channel_access_token": None, "channel_id": "1", "assertion_key": SECRET}, ["setting: assertion_key"]),
        ({"channel_access_token": f"{SECRET} " + "x y"}, ["setting: channel_access_token"]),
        ({"channel_secret": [SECRET]}, ["channel_secret: must be of type string", "setting: channel_secret"]),
        ({"channel_id": {SECRET: SECRET}}, ["setting: channel_id"]),
        ({"max_requests_per_second": 0}, ["setting: max_requests_per_second"]),
        ({"max_requests_per_second": "many"}, ["setting: max_requests_per_second"]),
        ({"profile_source": "everybody"}, ["must be one of followers or inbox or both", "setting: profile_source"]),
        ({"stream_maps": {"bot_info": {"x": "1 +"}}}, ["1 +"]),
    ],
)
def test_invalid_settings(tap: Tap, settings: dict[str, Any], parts: list[str]) -> None:
    assert_one_line(tap.run("bot_info", expect=1, **settings), *parts)


def test_an_unreachable_api_is_one_line(tap: Tap) -> None:
    tap.patches.update(SHORT_PAUSES)
    output = tap.run("bot_info", expect=1, api_url="http://127.0.0.1:1")
    assert_one_line(output, "Connection refused", "GET /v2/bot/info", "setting: api_url")


@pytest.mark.parametrize(
    ("store_url", "part"),
    [
        ("sqlite:////no/such/directory/store.db", "there is no store"),
        (f"mysql://u:{SECRET}@host/db", "not 'mysql'"),
        (SECRET, "not of the form"),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db", "refused"),
    ],
)
def test_an_unusable_store_is_one_line(tap: Tap, store_url: str, part: str) -> None:
    assert_one_line(tap.run("events", expect=1, store_url=store_url), part, "setting: store_url")


def test_streams_of_the_store_do_not_create_one(tap: Tap, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    streams = ("events", "identities", "deliveries", "friendships")
    assert_one_line(
        tap.run(*streams, expect=1, store_url=f"sqlite:///{new}"), "there is no store", "setting: store_url"
    )
    assert not new.exists()
    output = tap.run(*streams, "bot_info", store_url=f"sqlite:///{new}")
    (warning,) = [line for line in output.log.splitlines() if "There was no store at store_url" in line]
    assert all(name in warning for name in streams)
    assert "There was no store" not in tap.run(*streams, "bot_info", store_url=f"sqlite:///{new}").log


@pytest.mark.parametrize("stream", ["bot_info", "followers", "profiles"])
def test_a_malformed_response_is_one_line_with_endpoint_and_request_id(
    tap: Tap, add_fault: Callable[..., None], stream: str
) -> None:
    path = {"bot_info": "/v2/bot/info", "followers": "/v2/bot/followers/ids", "profiles": "/v2/bot/profile/"}[stream]
    add_fault("malformed", path)
    assert_one_line(tap.run(stream, expect=1), "not the JSON", f"GET {path.rstrip('/')}", "status 200", "request ")


def test_a_permanent_server_error_is_one_line(tap: Tap, add_fault: Callable[..., None]) -> None:
    add_fault("status", "/v2/bot/", status=500)
    tap.patches.update(SHORT_PAUSES)
    assert_one_line(tap.run("profiles", expect=1), "status 500", "request ")


def test_a_missing_or_invalid_configuration_file(tap: Tap) -> None:
    (tap.directory / "broken.json").write_text(f'{{"channel_secret": "{SECRET}"')
    for path in ("missing.json", "broken.json"):
        done = tap.call("--config", path)
        assert done.returncode == 1
        assert "setting: --config" in done.stderr
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stderr


def test_a_closed_output_pipe_ends_the_run_without_traceback(tap: Tap) -> None:
    process = tap.start("followers", "profiles")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    log = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert "Traceback" not in log
    assert "reader of this program's output has ended" in log
