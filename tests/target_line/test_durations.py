"""Parsing of durations in settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from line_core.errors import SettingError
from target_line.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("36h", 129600), ("7d", 604800), ("45", 45), (45, 45), ("1.5 h", 5400)]
)
def test_durations_have_units_or_are_seconds(text: str | int, seconds: int) -> None:
    assert parse_duration(text, "max_message_age") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0", "-1h", "soon", "1w", "9" * 30 + "d", "4000d"])
def test_an_invalid_duration_is_an_error_with_the_setting(text: str) -> None:
    with pytest.raises(SettingError, match="setting: max_message_age"):
        parse_duration(text, "max_message_age")
