"""The file of an SQLite store: whether it exists, and whether it is still the same file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from line_core.errors import StoreError

if TYPE_CHECKING:
    from line_core.store.location import StoreLocation


class SqliteFile:
    """The file at the URL of a store. Does nothing for PostgreSQL and for a database in memory."""

    def __init__(self, location: StoreLocation) -> None:
        database = location.url.database if location.url.drivername == "sqlite" else None
        has_file = database and database != ":memory:" and not database.startswith("file:")
        self._path = Path(database).absolute() if database and has_file else None
        self._location = location
        self._identity: tuple[int, int] | None = None

    def check_exists(self) -> None:
        """Check that there is a file, before a connection would create it.

        Raises:
            StoreError: There is none.
        """
        if self._path is not None and not self._path.exists():
            raise missing_store_error(self._location)

    def remember(self) -> None:
        """Remember which file is open."""
        self._identity = self._current()

    def check_is_same(self) -> None:
        """Check that the open file is still the one at the URL. An open file can be removed or replaced.

        Raises:
            StoreError: Another file, or none, is there. What would be written now is lost for all other processes.
        """
        if self._identity is None or (current := self._current()) == self._identity:
            return
        done = "removed" if current is None else "replaced by another file"
        raise StoreError(f"the file of the store at {self._location} was {done} while this program was using it")

    def _current(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino


def missing_store_error(location: StoreLocation) -> StoreError:
    """Return the error of a program that only reads, if there is no store."""
    return StoreError(f"there is no store at {location}; the programs that write to it create it")
