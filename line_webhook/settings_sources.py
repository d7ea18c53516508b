"""Read the settings from command-line options, environment variables and a JSON file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from line_core.errors import SettingError
from line_webhook.settings import ENVIRONMENT_PREFIX, SETTING_NAMES, ReceiverSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_JSON_SETTINGS = frozenset({"channels", "relay_urls"})
"""Settings whose environment variable holds JSON."""


def load_settings(
    options: Mapping[str, str], environment: Mapping[str, str], config_file: Path | None = None
) -> ReceiverSettings:
    """Merge the sources: an option overrides the environment, and the environment overrides the file.

    The environment is read here and not by click, because secrets have an environment variable but no option.

    Args:
        options: Command-line values by setting name.
        environment: Environment variables of the process.
        config_file: File with one JSON object of settings.

    Raises:
        SettingError: The file cannot be read, or a setting is unknown, missing or wrong. The text has no values.
    """
    values: dict[str, Any] = _read_config_file(config_file) if config_file else {}
    for name in SETTING_NAMES:
        text = options.get(name) or environment.get(ENVIRONMENT_PREFIX + name.upper())
        if text:
            values[name] = _parse_json(name, text) if name in _JSON_SETTINGS else text
    try:
        return msgspec.convert(values, ReceiverSettings, strict=False)
    except msgspec.ValidationError as error:
        # msgspec's text has types and paths but no values, so it cannot repeat a secret.
        problem, _, path = str(error).partition(" - at ")
        problem = problem.replace("Object contains unknown field", "unknown setting")
        raise SettingError(problem, setting=_setting_path(path)) from None


def _read_config_file(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot read {file}: {error.strerror}", setting="--config") from None
    except ValueError as error:
        raise SettingError(f"{file} is not JSON: {error}", setting="--config") from None
    if not isinstance(values, dict):
        raise SettingError(f"{file} does not hold a JSON object", setting="--config")
    return values


def _parse_json(name: str, text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingError(f"not JSON: {error}", setting=name) from None


def _setting_path(path: str) -> str | None:
    """Turn msgspec's path (`$.channels[0].name` in backticks) into `channels[0].name`."""
    return re.sub(r"^`?\$\.?|`$", "", path) or None
