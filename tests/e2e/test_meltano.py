"""What only Meltano shows. The two pipelines are in test_demo.py."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.meltano_project import meltano

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


def test_a_wrong_setting_is_one_log_line_without_the_secret(sandbox_url: str, tmp_path: Path) -> None:
    """The other settings are tested without Meltano, in tests/tap_line/test_errors.py."""
    environment = {
        **os.environ,
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path / 'meltano.db'}",
        "TAP_LINE_API_URL": sandbox_url,
        "TAP_LINE_CHANNEL_ACCESS_TOKEN": "hunter2-token",
        "TAP_LINE_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
    }
    printed = meltano("run", "tap-line", "target-jsonl", expect=1, environment=environment)
    assert "setting: channel_access_token" in printed
    assert "Traceback" not in printed
    assert "hunter2" not in printed
