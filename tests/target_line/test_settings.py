"""The settings and the reason codes of the target are documented and used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from line_core.errors import SettingError
from target_line.reasons import Reason
from target_line.settings import CONFIG_JSONSCHEMA, policy_of

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


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_code_is_documented_and_used(reason: Reason) -> None:
    assert f"| `{reason}` | {reason.description} |" in (PROJECT / "docs" / "sending.md").read_text()
    assert re.search(rf"Reason\.{reason.name}\b", SOURCE), f"no code uses the reason code {reason}"
