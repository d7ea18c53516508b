"""Every message is delivered once, although processes are killed at random moments and LINE fails.

Some messages are cancelled and corrected meanwhile: what is cancelled is not sent, and no two versions are sent.

The suite kills few processes. To kill more: `pytest tests/target_line/sending/test_sweep.py --kills 1000`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import keyless_client
from tests.support.changing_sweep import ChangingSweep
from tests.support.sending_sweep import Sweep, sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(0)]


def test_killed_processes_lose_and_repeat_no_message(tmp_path: Path, kills: int) -> None:
    with sandbox(tmp_path) as url:
        sweep = ChangingSweep(url, tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
        sweep.run(kills)
        assert sweep.lost() == {}
        assert sweep.unexpected() == {}
        assert sweep.contradictions() == {}
        assert sweep.cancelled
        assert sweep.kills == kills


def test_killed_processes_with_wrong_clocks_lose_and_repeat_no_message(tmp_path: Path, kills: int) -> None:
    with sandbox(tmp_path) as url:
        sweep = Sweep(url, tmp_path, f"sqlite:///{tmp_path / 'store.db'}", clock_jumps=True)
        sweep.run(kills)
        assert sweep.lost() == {}
        assert sweep.unexpected() == {}
        assert sweep.kills == kills


def test_two_killed_processes_on_one_store_lose_and_repeat_no_message(
    tmp_path: Path, postgres_url: str, kills: int
) -> None:
    with sandbox(tmp_path) as url:
        sweep = ChangingSweep(url, tmp_path, postgres_url, processes=2)
        sweep.run(kills)
        assert sweep.lost() == {}
        assert sweep.unexpected() == {}
        assert sweep.contradictions() == {}
        assert sweep.cancelled
        assert sweep.kills == kills


def test_the_sweep_finds_repeated_messages_if_retry_keys_are_missing(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url:
        store_url = f"sqlite:///{tmp_path / 'store.db'}"
        sweep = Sweep(url, tmp_path, store_url, patches=keyless_client.PATCHES)
        sweep.run(1)
        assert sweep.lost() == {}
        assert sweep.unexpected() != {}
