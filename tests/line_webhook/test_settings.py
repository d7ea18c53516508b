"""Precedence and validation of settings from options, environment and file; secrets are never shown."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest

from line_core.errors import SettingError
from line_webhook.cli import main
from line_webhook.settings import ENVIRONMENT_PREFIX, SETTING_NAMES, is_secret
from line_webhook.settings_sources import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def environment(**settings: str) -> dict[str, str]:
    return {ENVIRONMENT_PREFIX + name.upper(): value for name, value in settings.items()}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"port": 1, "host": "::1", "channels": [{"name": "a", "channel_secret": "s"}]}))
    return file


def test_options_override_the_environment_and_the_environment_overrides_the_file(config: Path) -> None:
    settings = load_settings({"port": "3"}, environment(port="2", host="::2"), config)
    assert (settings.port, settings.host, list(settings.channels_by_name())) == (3, "::2", ["a"])


def test_a_single_channel_needs_one_variable() -> None:
    channels = load_settings({}, environment(channel_secret="s")).channels_by_name()
    assert {name: channel.secrets for name, channel in channels.items()} == {"main": (b"s",)}


def test_a_channel_can_have_a_previous_secret() -> None:
    variables = environment(channel_secret="new", previous_channel_secret="old", channel_name="shop")
    assert load_settings({}, variables).channels_by_name()["shop"].secrets == (b"new", b"old")


def test_channels_and_relay_urls_in_the_environment_are_json() -> None:
    channels = [{"name": "a", "channel_secret": "s", "relay_urls": ["https://bot.example/hook"]}]
    variables = environment(channels=json.dumps(channels), channel_secret="t", relay_urls='["http://b"]')
    by_name = load_settings({}, variables).channels_by_name()
    assert {name: channel.relay_urls for name, channel in by_name.items()} == {
        "a": ("https://bot.example/hook",),
        "main": ("http://b",),
    }


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"prot": 1}, ["prot"]),
        ({"port": "many"}, ["port"]),
        ({"port": 70_000}, ["port"]),
        ({"channels": [{"name": "a"}]}, ["channel_secret", "channels[0]"]),
        ({"channels": [{"name": "a b", "channel_secret": "s3cret"}]}, ["channels[0].name"]),
        ({"channels": [{"name": "a", "channel_secret": 12345}]}, ["channels[0].channel_secret"]),
        ({"channels": [{"name": "a", "channel_secret": "s3cret", "relay_urls": ["ftp://s3cret"]}]}, ["relay_urls"]),
        ({"store_timeout_seconds": 0}, ["store_timeout_seconds"]),
        ({"log_level": "loud"}, ["log_level"]),
        ([], ["--config"]),
    ],
)
def test_the_error_about_a_setting_names_it_in_one_line_without_secrets(
    tmp_path: Path, values: object, named: list[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(SettingError) as raised:
        load_settings({}, {}, file)
    line = str(raised.value)
    assert all(name in line for name in named), line
    assert "s3cret" not in line
    assert "12345" not in line
    assert "\n" not in line


def test_a_variable_that_is_not_json_is_named_without_its_value() -> None:
    with pytest.raises(SettingError, match=r"not JSON: .*\(setting: channels\)") as raised:
        load_settings({}, environment(channels='[{"channel_secret":"s3cret"'))
    assert "s3cret" not in str(raised.value)


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"port": ')
    with pytest.raises(SettingError, match=r"config\.json is not JSON: .*\(setting: --config\)"):
        load_settings({}, {}, file)


@pytest.mark.parametrize(
    "variables", [{}, environment(channels='[{"name":"main","channel_secret":"s"}]', channel_secret="s")]
)
def test_no_channel_and_duplicate_channel_names_are_errors(variables: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="channel"):
        load_settings({}, variables).channels_by_name()


def test_repr_shows_no_secret_and_pickling_keeps_all_settings() -> None:
    variables = environment(channel_secret="s3cret", channels='[{"name":"a","channel_secret":"s3cret"}]')
    settings = load_settings({}, variables)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(settings.channels_by_name())
    assert pickle.loads(pickle.dumps(settings)).channels_by_name() == settings.channels_by_name()


def test_settings_that_hold_secrets_have_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    options = capsys.readouterr().out
    for name in SETTING_NAMES:
        assert (f"--{name.replace('_', '-')} " in options) is not is_secret(name)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["serve"], "channel_secret"),
        (["serve", "--config", "missing.json"], "missing.json"),
        (["serve", "--store-url", "mysql://root:s3cret@host/db"], "store_url"),
        (["serve", "--store-url", "sqlite:////no/such/folder/store.db"], "store_url"),
        (["serve", "--store-url", "sqlite:///store.db", "--workers", "2"], "workers"),
        (["serve", "--store-url", "sqlite:///store.db", "--host", "no.such.host.invalid"], "host"),
        (["purge"], "inbox_retention_days"),
    ],
)
def test_an_error_that_a_user_can_correct_is_one_line_and_exit_code_1(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SETTING_NAMES:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)
    if named != "channel_secret":
        monkeypatch.setenv(ENVIRONMENT_PREFIX + "CHANNEL_SECRET", "s3cret")
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert named in shown.err
    assert "s3cret" not in shown.err + shown.out
