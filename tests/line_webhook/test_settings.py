"""Settings come from options, the environment and a file, in this order, and never show a secret."""

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


def test_options_win_over_the_environment_and_that_over_the_file(config: Path) -> None:
    settings = load_settings({"port": "3"}, environment(port="2", host="::2"), config)
    assert (settings.port, settings.host, list(settings.channels_by_name())) == (3, "::2", ["a"])


def test_one_channel_needs_one_variable() -> None:
    channels = load_settings({}, environment(channel_secret="s")).channels_by_name()
    assert {name: channel.secrets for name, channel in channels.items()} == {"main": (b"s",)}


def test_a_channel_has_two_secrets_while_one_is_changed() -> None:
    variables = environment(channel_secret="new", previous_channel_secret="old", channel_name="shop")
    assert load_settings({}, variables).channels_by_name()["shop"].secrets == (b"new", b"old")


def test_channels_and_relays_can_stand_in_the_environment_as_json() -> None:
    channels = [{"name": "a", "channel_secret": "s", "relay_urls": ["https://bot.example/hook"]}]
    variables = environment(channels=json.dumps(channels), channel_secret="t", relay_urls='["http://b"]')
    by_name = load_settings({}, variables).channels_by_name()
    assert {name: channel.relay_urls for name, channel in by_name.items()} == {
        "a": ("https://bot.example/hook",),
        "main": ("http://b",),
    }


@pytest.mark.parametrize(
    ("values", "words"),
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
def test_a_wrong_setting_is_named_and_no_secret_is(tmp_path: Path, values: object, words: list[str]) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(SettingError) as wrong:
        load_settings({}, {}, file)
    line = str(wrong.value)
    assert all(word in line for word in words), line
    assert "s3cret" not in line
    assert "12345" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "variables", [{}, environment(channels='[{"name":"main","channel_secret":"s"}]', channel_secret="s")]
)
def test_no_channel_and_two_of_one_name_are_errors(variables: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="channel"):
        load_settings({}, variables).channels_by_name()


def test_what_is_shown_of_settings_holds_no_secret_and_workers_get_all_of_it() -> None:
    variables = environment(channel_secret="s3cret", channels='[{"name":"a","channel_secret":"s3cret"}]')
    settings = load_settings({}, variables)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(settings.channels_by_name())
    assert pickle.loads(pickle.dumps(settings)).channels_by_name() == settings.channels_by_name()


def test_no_secret_has_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    options = capsys.readouterr().out
    for name in SETTING_NAMES:
        assert (f"--{name.replace('_', '-')} " in options) is not is_secret(name)


@pytest.mark.parametrize(
    ("arguments", "words"),
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
def test_what_a_user_can_mend_is_one_line_and_a_failure(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SETTING_NAMES:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)
    if words != "channel_secret":
        monkeypatch.setenv(ENVIRONMENT_PREFIX + "CHANNEL_SECRET", "s3cret")
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert words in shown.err
    assert "s3cret" not in shown.err + shown.out
