"""A store file that disappears in mid-run ends the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.target_program import TargetProgram

MESSAGES = 300


@pytest.mark.parametrize("is_replaced", [False, True], ids=["removed", "replaced"])
def test_a_store_file_that_is_removed_or_replaced_ends_the_run(
    sqlite_target: TargetProgram, new_sqlite_store: Callable[[Path], str], *, is_replaced: bool
) -> None:
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": person, "text": f"{number}"})
        for number, person in enumerate(sqlite_target.line_ids(MESSAGES))
    ]
    run = sqlite_target.start(*records, max_requests_per_second=30)
    while not sqlite_target.deliveries():
        time.sleep(0.02)
    file = Path(str(make_url(sqlite_target.config["store_url"]).database))
    for name in (f"{file}-wal", f"{file}-shm", file):
        Path(name).unlink(missing_ok=True)
    if is_replaced:
        new_sqlite_store(file)
    _, log = run.communicate(timeout=60)
    assert run.returncode == 1
    done = "replaced by another file" if is_replaced else "removed"
    assert f"was {done} while this program was using it" in log.splitlines()[-1], log
    assert "Traceback" not in log
    assert len(sqlite_target.deliveries()) < MESSAGES / 2
    assert file.exists() == is_replaced
