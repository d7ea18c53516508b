"""Load people with target-line killed at random moments: the same bytes in the end.

The suite kills a few processes; for a long sweep run
`pytest tests/target_line/identity/test_sweep.py --kills 70`. The number of records grows with the number of kills, up
to 100,000, so that most runs are killed before their end.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.identity_sweep import Load, crowd

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.sweep
def test_a_load_killed_again_and_again_changes_no_byte(store_url: str, tmp_path: Path, kills: int) -> None:
    records = crowd(min(1500 * kills, 100_000), seed=5)
    load, fresh = Load(tmp_path, store_url), Load(tmp_path, f"sqlite:///{tmp_path / 'fresh.db'}")
    file = load.write(records)
    longest = 2.5 + len(records) / 10_000
    killed = load.run_killed(file, kills, random.Random(6), longest, batch_size_rows=max(len(records) // 200, 10))
    assert killed, "no run was killed before its end"
    load.run(file)
    fresh.run(fresh.write(records, "fresh"))
    assert load.identities() == fresh.identities()
