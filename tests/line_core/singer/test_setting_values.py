"""Conversion of values of settings to their declared types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from line_core.singer.setting_values import convert_values
from target_line.settings import CONFIG_JSONSCHEMA


@pytest.mark.parametrize(
    ("setting", "value", "converted"),
    [
        ("max_requests_per_second", Decimal("2.5"), 2.5),
        ("max_requests_per_second", "2.5", 2.5),
        ("use_proxy_from_environment", "false", False),
        ("use_proxy_from_environment", " True ", True),
        ("use_proxy_from_environment", "perhaps", "perhaps"),
        ("quota_reserve", "5", 5),
        ("quota_reserve", "many", "many"),
        ("quota_reserve", Decimal("5.0"), 5),
        ("quota_reserve", Decimal("5.5"), 5.5),
        ("frequency_cap", {"messages": "3", "per": "7d"}, {"messages": 3, "per": "7d"}),
        ("channel", "5", "5"),
        ("max_rejects", "5", "5"),
        ("suppression_attributes", '["opt_out"]', ["opt_out"]),
        ("suppression_attributes", "opt_out", "opt_out"),
        ("stream_roles", '{"crm": "profiles"}', {"crm": "profiles"}),
        ("max_requests_per_second", float("nan"), "nan"),
        ("max_requests_per_second", Decimal("Infinity"), "inf"),
        ("max_requests_per_second", "inf", "inf"),
    ],
)
def test_a_value_is_converted_where_only_the_converted_value_is_valid(
    setting: str, value: object, converted: object
) -> None:
    config: dict[str, Any] = {setting: value}
    convert_values(config, CONFIG_JSONSCHEMA)
    assert config == {setting: converted}
    assert type(config[setting]) is type(converted)


def test_a_value_that_is_null_is_not_set() -> None:
    config: dict[str, Any] = {"suppression_attributes": None, "other": None}
    convert_values(config, CONFIG_JSONSCHEMA)
    assert config == {"other": None}
