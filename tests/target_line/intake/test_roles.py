"""The role of a stream: by its name, or by the setting."""

from __future__ import annotations

import pytest

from line_core.errors import SettingError
from target_line.intake.roles import Role, role_of


@pytest.mark.parametrize(
    ("stream", "role"),
    [
        ("profiles", "profiles"),
        ("public-profiles", "profiles"),
        ("crm-eu.messages", "messages"),
        ("follows", "follows"),
    ],
)
def test_the_role_is_the_last_part_of_the_stream_name(stream: str, role: str) -> None:
    assert role_of(stream, {}) is Role(role)


def test_the_setting_overrides_the_name() -> None:
    assert role_of("crm-messages", {"crm-messages": "profiles"}) is Role.PROFILES


@pytest.mark.parametrize(("stream", "roles"), [("orders", {}), ("orders", {"orders": "people"}), ("", {})])
def test_a_stream_without_a_role_is_an_error_that_names_stream_and_setting(stream: str, roles: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=rf"'{stream}'.*profiles, follows.*setting: stream_roles"):
        role_of(stream, roles)
