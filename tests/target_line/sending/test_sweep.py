"""Everybody gets everything once, whatever crashes: kill -9 at random moments, with LINE at its worst.

In the suite a few kills; by hand as many as you like: `pytest tests/target_line/sending/test_sweep.py --kills 1000`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import keyless_client
from tests.support.sending_sweep import Sweep, sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(0)]


def test_killed_again_and_again_everybody_gets_everything_once(tmp_path: Path, kills: int) -> None:
    with sandbox(tmp_path) as url:
        sweep = Sweep(url, tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
        sweep.run(kills)
        assert sweep.lost() == {}
        assert sweep.too_many() == {}
        assert sweep.kills == kills


def test_two_processes_on_one_store_killed_again_and_again_send_everything_once(
    tmp_path: Path, postgres_url: str, kills: int
) -> None:
    with sandbox(tmp_path) as url:
        sweep = Sweep(url, tmp_path, postgres_url, processes=2)
        sweep.run(kills)
        assert sweep.lost() == {}
        assert sweep.too_many() == {}
        assert sweep.kills == kills


def test_without_retry_keys_the_same_judge_finds_what_came_twice(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url:
        store_url = f"sqlite:///{tmp_path / 'store.db'}"
        sweep = Sweep(url, tmp_path, store_url, patches=keyless_client.PATCHES)
        sweep.run(1)
        assert sweep.lost() == {}
        assert sweep.too_many() != {}
