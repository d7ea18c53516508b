"""A target with an empty store and a sandbox as new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.target_program import Target

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(sandbox_url: str, store_url: str, tmp_path: Path) -> Target:
    """A target with an empty store, once on SQLite and once on Postgres, and a sandbox as new."""
    return _target(sandbox_url, store_url, tmp_path)


@pytest.fixture
def sqlite_target(sandbox_url: str, tmp_path: Path) -> Target:
    """The same on SQLite alone, for what has nothing to do with the database."""
    return _target(sandbox_url, f"sqlite:///{tmp_path / 'store.db'}", tmp_path)


def _target(sandbox_url: str, store_url: str, directory: Path) -> Target:
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": store_url}
    return Target(sandbox_url, directory / "config.json", config)
