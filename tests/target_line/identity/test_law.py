"""The law, of the whole programs: the same records make the same people, byte for byte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.identity_sweep import Load, crowd

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 3000


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one run on one store makes of the records, in their order."""
    directory = tmp_path_factory.mktemp("expected")
    load = Load(directory, f"sqlite:///{directory / 'store.db'}")
    load.run(load.write(crowd(RECORDS, seed=1)))
    printed = load.identities()
    assert len(printed.splitlines()) > RECORDS / 20
    return printed


def test_order_batches_runs_and_repetition_change_no_byte(store_url: str, tmp_path: Path, expected: bytes) -> None:
    load = Load(tmp_path, store_url)
    records = crowd(RECORDS, seed=1)
    random.Random(2).shuffle(records)
    load.run(load.write(records[: RECORDS // 2], "first"), batch_size_rows=97)
    load.run(load.write(records[RECORDS // 3 :], "second"), batch_size_rows=1000)
    assert load.identities() == expected


def test_two_processes_with_the_same_people_change_no_byte(postgres_url: str, tmp_path: Path, expected: bytes) -> None:
    load = Load(tmp_path, postgres_url)
    records = crowd(RECORDS, seed=1)
    files = load.write(records[: RECORDS * 2 // 3], "one"), load.write(records[RECORDS // 3 :][::-1], "other")
    processes = [load.start(file, batch_size_rows=50) for file in files]
    for process, file in zip(processes, files, strict=True):
        assert process.wait(timeout=120) == 0, file.with_suffix(".log").read_text()
    assert load.identities() == expected
