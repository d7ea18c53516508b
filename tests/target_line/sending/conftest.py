"""`target-line` with an empty store, and a sandbox in its initial state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(sandbox_url: str, store_url: str, tmp_path: Path) -> TargetProgram:
    """Return the program, once with SQLite and once with Postgres."""
    return _target(sandbox_url, store_url, tmp_path)


@pytest.fixture
def sqlite_target(sandbox_url: str, sqlite_url: str, tmp_path: Path) -> TargetProgram:
    """Return the program with SQLite only, for tests that do not depend on the database."""
    return _target(sandbox_url, sqlite_url, tmp_path)


def _target(sandbox_url: str, store_url: str, directory: Path) -> TargetProgram:
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": store_url}
    return TargetProgram(sandbox_url, directory / "config.json", config)
