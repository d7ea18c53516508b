"""Open the store on SQLite or Postgres and check the version of its schema."""

from __future__ import annotations

import json
import threading
import weakref
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError, StatementError
from sqlalchemy.schema import CreateSchema

from line_core import json_text
from line_core.errors import LineError, StoreError
from line_core.store.location import SchemaSelector, parse_store_url
from line_core.store.schema_version import SCHEMA_VERSION, checked_version, migrate, prepare_schema
from line_core.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.store.location import StoreLocation

DEFAULT_STORE_URL = "sqlite:///line-store.db"

_SQLITE_BUSY_SECONDS = 60
# Keys of Postgres advisory locks: one for schema changes, and one per part of the store. The numbers are arbitrary.
_LOCK_KEYS = {
    "schema": 0x4C494E45_00,
    "inbox": 0x4C494E45_01,
    "identity": 0x4C494E45_02,
    "ledger": 0x4C494E45_03,
    "audience": 0x4C494E45_04,
}


class Store:
    """An open store. All reads and writes are transactions; a write can hold the lock of one part of the store."""

    def __init__(self, engine: Engine, location: StoreLocation, selector: SchemaSelector) -> None:
        """Use `open_store`, which checks the schema of the engine's database.

        Args:
            engine: Engine of the database.
            location: Where the store is.
            selector: Selects the PostgreSQL schema of the engine's connections.
        """
        self.engine = engine
        self._location = location
        self._selector = selector
        self.file = SqliteFile(location)
        self.is_new = False
        """Whether the store did not exist before it was opened."""
        self._sqlite_writer = threading.RLock()
        # The SDK calls no method of tap or target at the end of a run, so a store may never be closed explicitly. Close
        # its connections when it is garbage-collected. Not at exit: a forked process must not close its parent's.
        self._finalizer = weakref.finalize(self, engine.dispose)
        self._finalizer.atexit = False

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite (one writer at a time) and not Postgres."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction. All its queries see the same snapshot of the store.

        Raises:
            StoreError: The database cannot be read, or its SQLite file is not the same any more.
        """
        self.file.check_is_same()
        with _store_errors(self._location), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, lock: str | None = None) -> Iterator[Connection]:
        """Open a write transaction. It is committed at the end of the block and rolled back on an exception.

        Args:
            lock: Part of the store (`inbox`, `identity`, `ledger` or `audience`) whose lock is held until the commit.
                No other process can write to this part at the same time. SQLite has only one writer in any case.

        Raises:
            StoreError: The database cannot be written, or its SQLite file is not the same any more.
        """
        self.file.check_is_same()
        # SQLite does not queue writers; a waiting one polls. Without this lock, a busy thread could starve the others.
        turn = self._sqlite_writer if self.is_sqlite else nullcontext()
        with turn, _store_errors(self._location), self.engine.connect() as connection:
            connection.execution_options(sqlite_begin="IMMEDIATE")
            with connection.begin():
                if lock is not None and not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._lock_key(lock)})
                yield connection
                self.file.check_is_same()

    def lock_schema(self, connection: Connection) -> None:
        """Hold the lock of schema changes until the commit, and create the PostgreSQL schema if it is missing."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._lock_key("schema")})
            if connection.execute(text("SELECT current_schema()")).scalar() is None:
                connection.execute(CreateSchema(str(self._selector.schema)))

    def _lock_key(self, part: str) -> int:
        return self._selector.lock_key(_LOCK_KEYS[part])

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(store_url: str | None = None, *, create: bool = True) -> Store:
    """Open a store. An older schema is an error.

    Args:
        store_url: `sqlite:///PATH` or `postgresql://…`; see `parse_store_url`. The default is an SQLite file in the
            working directory.
        create: Whether an empty database gets the current schema, and a missing SQLite file is created. Programs that
            only read do not create a store: its tables would be empty, and a wrong URL would not be noticed.

    Raises:
        StoreError: The URL is not valid, the database is not reachable or writable, its schema has another version, or
            there is no store and `create` is false.
    """
    location = parse_store_url(store_url or DEFAULT_STORE_URL)
    with _store_errors(location):
        store = _store_at(location)
        try:
            if not create:
                store.file.check_exists()
            with store.write() if create else store.read() as connection:
                if create:
                    store.lock_schema(connection)
                store.is_new = prepare_schema(connection, location, create=create)
            store.file.remember()
        except BaseException:
            store.close()
            raise
    return store


def upgrade_store(store_url: str) -> tuple[str | None, str]:
    """Upgrade the schema of a store to this version.

    Returns:
        The version of the schema before and after; the first is None for an empty database.

    Raises:
        StoreError: The store is not reachable or writable.
    """
    location = parse_store_url(store_url)
    with _store_errors(location), _store_at(location) as store, store.write() as connection:
        store.lock_schema(connection)
        before = checked_version(connection, location)
        migrate(connection)
    return before, SCHEMA_VERSION


def _store_at(location: StoreLocation) -> Store:
    url = location.url
    try:
        engine = create_engine(
            url,
            connect_args={"timeout": _SQLITE_BUSY_SECONDS} if url.drivername == "sqlite" else {},
            json_serializer=json_text.encode,
            json_deserializer=_decode_json,
            hide_parameters=True,  # they are values of records, which no error text may contain
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StoreError("a Postgres store needs the extra: pip install 'singer-line[postgres]'") from None
    selector = SchemaSelector(location.schema)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _configure_postgres)
        event.listen(engine, "connect", selector)
    return Store(engine, location, selector)


def _decode_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the DBAPI's connection
    # Turn off the driver's own transactions, which commit without SQLAlchemy; _begin_sqlite emits BEGIN instead.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -16384",
        "wal_autocheckpoint = 4000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _configure_postgres(connection: Any, _record: object) -> None:  # noqa: ANN401 - the DBAPI's connection
    # Plan every query anew. A cached plan from the time when a table was empty would keep scanning the whole table.
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # Writers start with BEGIN IMMEDIATE: in WAL mode, a transaction that reads first cannot wait for the write lock.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


@contextmanager
def _store_errors(location: StoreLocation) -> Iterator[None]:
    """Convert errors of the database into a one-line `StoreError` that names the store without its password."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        # Postgres quotes values in the texts of these errors.
        text = "" if isinstance(error, DataError | IntegrityError) else " ".join(str(cause).split())
        reason = location.without_password(text) or type(cause).__name__
        raise StoreError(f"cannot use the store at {location}: {reason}") from error


def is_caused_by_values(error: Exception) -> bool:
    """Return whether a write failed because of its values, so that another write can succeed.

    Args:
        error: What a block of `Store.write` raised.
    """
    if not isinstance(error, LineError):
        return True
    cause = error.__cause__
    return isinstance(cause, DataError) or (isinstance(cause, StatementError) and not isinstance(cause, DBAPIError))
