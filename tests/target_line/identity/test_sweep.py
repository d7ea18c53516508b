"""Load records with target-line while it is killed at random times: the identities are the same, byte for byte.

The suite kills a few processes; for a long sweep run
`pytest tests/target_line/identity/test_sweep.py --kills 70`. The number of records grows with the number of kills, up
to 100,000, so that most runs are killed before their end.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.identity_sweep import IdentityLoad, generate_records

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.sweep
def test_identities_do_not_depend_on_killed_runs(store_url: str, tmp_path: Path, kills: int) -> None:
    records = generate_records(min(1500 * kills, 100_000), seed=5)
    load, fresh = IdentityLoad(tmp_path, store_url), IdentityLoad(tmp_path, f"sqlite:///{tmp_path / 'fresh.db'}")
    started = time.monotonic()
    fresh.run(fresh.write(records, "fresh"))
    seconds = time.monotonic() - started
    file = load.write(records)
    load.run_killed(file, kills, random.Random(6), seconds, batch_size_rows=max(len(records) // 200, 10))
    load.run(file)
    assert load.identities() == fresh.identities()
