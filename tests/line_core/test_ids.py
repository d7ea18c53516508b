"""Formats of LINE's identifiers."""

from __future__ import annotations

import pytest

from line_core.ids import is_chat_id, is_line_id

USER = "U" + "0123456789abcdef" * 2


@pytest.mark.parametrize("line_id", [USER, f"L{USER}-{USER}"])
def test_user_ids_of_ordinary_and_module_channels_are_line_ids(line_id: str) -> None:
    assert is_line_id(line_id)
    assert not is_chat_id(line_id)


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "U",
        USER.upper(),
        USER + "0",
        USER[:-1],
        USER + "\n",
        f"L{USER}",
        f"{USER}-{USER}",
        f"L{USER}-L{USER}",
    ],
)
def test_other_values_are_no_line_ids(value: object) -> None:
    assert not is_line_id(value)
