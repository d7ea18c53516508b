"""Released revisions never change, and the revisions create exactly the tables of the code."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from line_core.store import open_store, upgrade_store
from line_core.store.schema import alembic_config
from line_core.store.schema_version import SCHEMA_VERSION
from line_core.store.tables import identity, metadata

MIGRATIONS = Path(__file__).parents[3] / "line_core" / "store" / "migrations"

# SHA-256 of every revision. Stores exist that these revisions created, so an edit would not reach them.
REVISIONS = {
    "0001_the_first_schema.py": "e5bf7620d2968767b06014b51179071f896dee823b31394be363b1a4acdc9b5d",
    "0002_audience.py": "8a16a9fc1e4ff1072b5e472d9483bd7bdee6bc18017a11d32babfdce568cfe4c",
    "0003_rate_limiter.py": "ff6eedc0489784d357cbc9b6a074b4640bf6b8d30c11a6f7a9d711a6ca64b16e",
    "0004_recipient_kind.py": "712aa40a673c9e7fff0a43058b4d12ca999f58449a3882eea4cf740b55dd4fcd",
    "0005_corrections_and_erasure.py": "b4121c17b3366b7b097b3f5d744cbe4bfbfadd9b3696c28d35a5a6049dfea6df",
    "0006_attempts.py": "390bd07dd54e41ddad44d55dfbd553afa46153669cc44502e40a04010ce135a7",
    "0007_order_and_cancellation.py": "3a1413ac0570e051f8320be15db00e567fcc0f3ecc5e78f3dbcf252044a31b1f",
    "0008_changes_of_merges.py": "c0a03caf31b5d2a649623118c0c5d443f4b312fbdcc4da9951a7ff1ea571cd20",
    "0009_refused_requests.py": "0fbab1b0aec8788b92505fa34ef925b0908aa899c21c6ce58cbdf4e08a391f7b",
}


def test_no_released_revision_was_edited() -> None:
    for name, expected in REVISIONS.items():
        found = sha256((MIGRATIONS / "versions" / name).read_bytes()).hexdigest()
        assert found == expected, f"{name} was edited: restore it and write a new revision (make migration)"


def test_every_revision_is_frozen() -> None:
    files = {path.name for path in (MIGRATIONS / "versions").glob("*.py")}
    assert files == set(REVISIONS), "add the SHA-256 of each new revision to REVISIONS"


def test_the_migrations_create_exactly_the_tables_of_the_code(empty_database_url: str) -> None:
    with open_store(empty_database_url) as store, store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_an_upgrade_keeps_merges_and_never_uses_a_number_again(store_url: str) -> None:
    with open_store(store_url) as store, store.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        now = "2026-01-01 00:00:00"
        connection.execute(text(f"INSERT INTO identity_clusters VALUES (7, '{{}}', '{now}')"))
        names = "merge_id, merged_at, rule, survivor, absorbed, identifier, before"
        merge = f"'{now}', 'email_identified', 'id:a', 'email:x', 'email:x', '[]'"
        connection.execute(text(f"INSERT INTO merges ({names}) VALUES (3, {merge})"))
    assert upgrade_store(store_url) == ("0004", SCHEMA_VERSION)
    with open_store(store_url) as store, store.write() as connection:
        assert connection.execute(select(identity.merges.c.merge_id, identity.merges.c.survivor)).all() == [(3, "id:a")]
        counters = connection.execute(select(identity.counters)).all()
        assert dict(map(tuple, counters)) == {"clusters": 7, "erasures": 0}
        connection.execute(identity.merges.delete())
        if store.is_sqlite:
            connection.execute(text(f"INSERT INTO merges ({names.removeprefix('merge_id, ')}) VALUES ({merge})"))
            assert connection.execute(select(identity.merges.c.merge_id)).scalar_one() == 4


def test_the_schema_version_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == SCHEMA_VERSION


def test_upgrading_a_current_store_changes_nothing(store_url: str) -> None:
    before, after = upgrade_store(store_url)
    assert before == after


@pytest.mark.parametrize(
    ("message", "reason"),
    [("", "usage: make migration"), ("Nothing", "the tables are the same as in the newest revision")],
)
def test_no_revision_is_written_without_a_message_or_a_difference(message: str, reason: str) -> None:
    before = sorted(MIGRATIONS.glob("versions/*.py"))
    program = [sys.executable, str(MIGRATIONS / "generate.py"), message]
    completed = subprocess.run(program, capture_output=True, text=True, check=False, cwd=MIGRATIONS.parents[2])
    assert completed.returncode == 1
    assert reason in completed.stderr
    assert sorted(MIGRATIONS.glob("versions/*.py")) == before
