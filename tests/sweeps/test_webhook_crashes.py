"""Kill the receiver a hundred times under load, on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.webhook_crashes import crash_often

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(3600)
def test_a_hundred_kills_on_sqlite(tmp_path: Path) -> None:
    crash_often(tmp_path, f"sqlite:///{tmp_path}/store.db", crashes=100)


@pytest.mark.timeout(3600)
def test_a_hundred_kills_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    crash_often(tmp_path, postgres_url, crashes=100, workers=2)
