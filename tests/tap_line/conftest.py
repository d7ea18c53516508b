"""Fixtures: tap-line against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.seeded_account import seeded_account
from tests.support.tap_program import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def tap(sandbox_url: str, sqlite_url: str, tmp_path: Path) -> Tap:
    """tap-line with an empty store and the sandbox as LINE."""
    return Tap(
        tmp_path,
        {
            "channel_access_token": "sandbox-token",
            "api_url": sandbox_url,
            "api_data_url": sandbox_url,
            "store_url": sqlite_url,
        },
    )


@pytest.fixture
def add_fault(sandbox_url: str) -> Callable[..., None]:
    """Return a function that adds a fault, such as `add_fault("status", "/v2/bot/info", status=500, count=1)`."""

    def add(kind: str, path: str, **options: Any) -> None:
        fault = {"method": "GET", "path": path, "kind": kind, **options}
        requests.post(f"{sandbox_url}/sandbox/faults", json=fault, timeout=10).raise_for_status()

    return add


@pytest.fixture
def followers(sandbox_url: str) -> list[str]:
    """LINE IDs of the sandbox's followers, in the sandbox's order."""
    listed: list[str] = requests.get(f"{sandbox_url}/sandbox/users", timeout=10).json()["line_ids"]
    return listed


@pytest.fixture(scope="session")
def seeded_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Settings of a tap with records in every stream."""
    with seeded_account(tmp_path_factory.mktemp("seeded"), "--module-bots", "250") as settings:
        yield settings
