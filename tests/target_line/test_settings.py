"""The settings and the reason codes of the target are documented and used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from line_core.errors import SettingError
from target_line.reasons import Reason
from target_line.settings import CONFIG_JSONSCHEMA, Mode, policy_of
from target_line.target import TargetLine

PROJECT = Path(__file__).parents[2]
SETTINGS: dict[str, dict[str, Any]] = CONFIG_JSONSCHEMA["properties"]
SOURCE = "\n".join(
    path.read_text() for package in ("line_core", "target_line") for path in sorted((PROJECT / package).rglob("*.py"))
)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_has_a_title_and_a_description_and_is_used(name: str) -> None:
    assert SETTINGS[name]["title"]
    assert SETTINGS[name]["description"].endswith((".", '"}.'))
    used = re.findall(rf'(?:config|self\.config|_config)(?:\.get\(|\[)"{name}"', SOURCE)
    assert used, f"no code reads the setting {name}"


def test_the_precedence_must_contain_each_kind_of_identifier_once() -> None:
    defaults = {name: setting["default"] for name, setting in SETTINGS.items() if "default" in setting}
    with pytest.raises(SettingError, match=r"must contain each of id, email, line_id once.*identifier_precedence"):
        policy_of({**defaults, "identifier_precedence": ["id", "email"]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("approve", ""), ("approve", " "), ("expected_bot_user_id", ""), ("channel", ""), ("channel", "a\0b")),
        *(("provider", "\ud800"), ("max_message_age", 0), ("max_message_age", ""), ("max_requests_per_second", "nan")),
    ],
)
def test_an_empty_or_unusable_value_is_an_error_and_turns_no_check_off(
    name: str, value: object, sqlite_url: str
) -> None:
    with pytest.raises(SettingError, match=rf"\(setting: {name}\)"):
        _ = TargetLine(config={"store_url": sqlite_url, name: value}).run_context


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if "default" in setting])
def test_null_means_the_default(name: str, sqlite_url: str) -> None:
    target = TargetLine(config={"store_url": sqlite_url, name: None})
    assert target.config[name] is not None
    target.run_context.store.close()


@pytest.mark.parametrize("store_url", [None, "", " "])
def test_only_mode_send_needs_a_store_url(
    store_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match=r"mode send needs the URL of the store.*setting: store_url"):
        TargetLine(config={"store_url": store_url})
    for mode in (Mode.PLAN, Mode.VALIDATE):
        TargetLine(config={"store_url": store_url, "mode": mode}).run_context.store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["line-store.db"]


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_code_is_documented_and_used(reason: Reason) -> None:
    assert f"| `{reason}` | {reason.description} |" in (PROJECT / "docs" / "sending.md").read_text()
    assert re.search(rf"Reason\.{reason.name}\b", SOURCE), f"no code uses the reason code {reason}"


def test_an_unknown_setting_is_named_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    TargetLine(config={"store_url": "sqlite://", "supression_attributes": ["x"], "channel_access_tokn": "secret"})
    assert "unknown and have no effect: channel_access_tokn, supression_attributes" in caplog.text
    assert "secret" not in caplog.text


def test_a_rate_that_would_never_send_is_an_error() -> None:
    with pytest.raises(SettingError, match="max_requests_per_second"):
        TargetLine(config={"store_url": "sqlite://", "max_requests_per_second": 1e-300})
