"""meltano.yml tells the truth about our plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_line.tap import TapLine
from target_line.target import TargetLine

PROJECT = yaml.safe_load((Path(__file__).parents[2] / "meltano.yml").read_text())["plugins"]
PLUGINS = {plugin["name"]: plugin for kind in PROJECT.values() for plugin in kind}
# These the SDK adds to every plugin; Meltano users find them in the SDK's documentation.
SDK_SETTINGS = {
    *("stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth"),
    *("flattening_max_key_length", "flattening_separator", "batch_config", "add_record_metadata", "load_method"),
    *("batch_size_rows", "validate_records", "process_activate_version_messages"),
}


def settings_of(plugin: type[TapLine | TargetLine]) -> dict[str, Any]:
    declared: dict[str, Any] = plugin.config_jsonschema["properties"]
    return {name: setting for name, setting in declared.items() if name not in SDK_SETTINGS}


@pytest.mark.parametrize("plugin", [TapLine, TargetLine])
def test_it_lists_exactly_the_settings_that_the_plugin_has(plugin: type[TapLine | TargetLine]) -> None:
    listed = [setting["name"] for setting in PLUGINS[plugin.name]["settings"]]
    assert sorted(listed) == sorted(settings_of(plugin))


@pytest.mark.parametrize("plugin", [TapLine, TargetLine])
def test_secrets_are_sensitive_and_defaults_are_the_plugin_s(plugin: type[TapLine | TargetLine]) -> None:
    declared = settings_of(plugin)
    for setting in PLUGINS[plugin.name]["settings"]:
        schema = declared[setting["name"]]
        assert setting.get("sensitive", False) == bool(schema.get("secret"))
        if "value" in setting:
            assert setting["value"] == schema["default"]


@pytest.mark.parametrize("plugin", [TapLine, TargetLine])
def test_labels_and_descriptions_are_those_of_the_plugin(plugin: type[TapLine | TargetLine]) -> None:
    declared = settings_of(plugin)
    listed = {each["name"]: (each["label"], each["description"]) for each in PLUGINS[plugin.name]["settings"]}
    assert listed == {name: (schema["title"], schema["description"]) for name, schema in declared.items()}


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_every_setting_has_kind_label_and_description(name: str) -> None:
    for setting in PLUGINS[name].get("settings", []):
        assert setting["kind"]
        assert setting["label"]
        assert setting["description"]
