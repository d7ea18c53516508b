"""Creation of a target from a configuration file, for commands that need all settings of target-line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from line_core.errors import SettingError
from line_core.store import DEFAULT_STORE_URL
from target_line.target import TargetLine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def configured_target(config_path: Path | None, options: Mapping[str, str]) -> TargetLine:
    """Create the target.

    Args:
        config_path: JSON file of settings. Environment variables (`TARGET_LINE_…`) take precedence.
        options: Settings that take precedence over both.

    Raises:
        SettingError: The file cannot be read, or a setting is invalid.
    """
    settings = {**_read(config_path), **TargetLine.environment_settings(), **options}
    settings["store_url"] = settings.get("store_url") or DEFAULT_STORE_URL
    return TargetLine(config=settings, setup_mapper=False)


def _read(config_path: Path | None) -> dict[str, Any]:
    if config_path is None:
        return {}
    try:
        settings = json.loads(config_path.read_bytes())
    except OSError as error:
        raise SettingError(f"cannot read the configuration: {error.strerror}", setting="--config") from None
    except ValueError as error:
        raise SettingError(f"the configuration is not a JSON object: {error}", setting="--config") from None
    if not isinstance(settings, dict):
        raise SettingError("the configuration is not a JSON object", setting="--config")
    return settings
