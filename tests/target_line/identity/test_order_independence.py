"""Whole programs: the same records result in the same identities, byte for byte, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.identity_sweep import IdentityLoad, generate_records

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 3000


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The identities after one run that loads the records in their order."""
    directory = tmp_path_factory.mktemp("expected")
    load = IdentityLoad(directory, f"sqlite:///{directory / 'store.db'}")
    load.run(load.write(generate_records(RECORDS, seed=1)))
    printed = load.identities()
    assert len(printed.splitlines()) > RECORDS / 20
    return printed


def test_identities_do_not_depend_on_order_batches_runs_and_repeated_records(
    store_url: str, tmp_path: Path, expected: bytes
) -> None:
    load = IdentityLoad(tmp_path, store_url)
    records = generate_records(RECORDS, seed=1)
    random.Random(2).shuffle(records)
    load.run(load.write(records[: RECORDS // 2], "first"), batch_size_rows=97)
    load.run(load.write(records[RECORDS // 3 :], "second"), batch_size_rows=1000)
    assert load.identities() == expected


def test_identities_do_not_depend_on_two_processes_that_with_common_records(
    postgres_url: str, tmp_path: Path, expected: bytes
) -> None:
    load = IdentityLoad(tmp_path, postgres_url)
    records = generate_records(RECORDS, seed=1)
    files = load.write(records[: RECORDS * 2 // 3], "one"), load.write(records[RECORDS // 3 :][::-1], "other")
    processes = [load.start(file, batch_size_rows=50) for file in files]
    for process, file in zip(processes, files, strict=True):
        assert process.wait(timeout=120) == 0, file.with_suffix(".log").read_text()
    assert load.identities() == expected
