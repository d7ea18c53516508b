"""Write the next revision: the difference between the tables of the code and a new store. Run `make migration`.

The comparison uses SQLite, which has no column comments. Add changes of comments by hand; a test compares them on
Postgres.
"""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

from alembic import command

from line_core.store import open_store
from line_core.store.schema import alembic_config
from line_core.store.schema_version import SCHEMA_VERSION

if TYPE_CHECKING:
    from alembic.migration import MigrationContext
    from alembic.operations import MigrationScript


def main(message: str) -> int:
    """Write the revision and return the exit code: 1 without a message or a difference."""
    if not message:
        sys.stderr.write('usage: make migration message="Add a column"\n')
        return 1
    number = f"{int(SCHEMA_VERSION) + 1:04}"
    with (
        tempfile.TemporaryDirectory() as directory,
        open_store(f"sqlite:///{directory}/store.db") as store,
        store.write() as connection,
    ):
        config = alembic_config()
        config.attributes["connection"] = connection
        scripts = command.revision(
            config, message, autogenerate=True, rev_id=number, process_revision_directives=_discard_empty_script
        )
    if not scripts:
        sys.stderr.write("the tables are the same as in the newest revision; nothing was written\n")
        return 1
    sys.stdout.write(
        f'Next: set SCHEMA_VERSION = "{number}" in line_core/store/schema_version.py, run `make format`, and add '
        "the SHA-256 of the file to tests/line_core/store/test_migrations.py.\n"
    )
    return 0


def _discard_empty_script(_context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    operations = scripts[0].upgrade_ops
    if operations is None or operations.is_empty():
        scripts.clear()


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
