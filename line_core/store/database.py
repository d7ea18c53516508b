"""Open the store on SQLite or Postgres and check the version of its schema."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import weakref
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from line_core import json_text
from line_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

DEFAULT_STORE_URL = "sqlite:///line-store.db"

SCHEMA_VERSION = "0006"
"""Newest revision in `migrations/`."""

_SQLITE_BUSY_SECONDS = 60
# Oldest version with UPDATE … FROM and MATERIALIZED.
_MIN_SQLITE_VERSION = (3, 35)
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

    def __init__(self, engine: Engine) -> None:
        """Use `open_store`, which checks the schema of the engine's database."""
        self.engine = engine
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
        """Open a read transaction: a snapshot on SQLite, read committed on Postgres."""
        with _store_errors(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, lock: str | None = None) -> Iterator[Connection]:
        """Open a write transaction. It is committed at the end of the block and rolled back on an exception.

        Args:
            lock: Part of the store (`inbox`, `identity`, `ledger` or `audience`) whose lock is held until the commit.
                No other process can write to this part at the same time. SQLite has only one writer in any case.
        """
        # SQLite does not queue writers; a waiting one polls. Without this lock, a busy thread could starve the others.
        turn = self._sqlite_writer if self.is_sqlite else nullcontext()
        with turn, _store_errors(self.engine.url), self.engine.connect() as connection:
            connection.execution_options(sqlite_begin="IMMEDIATE")
            with connection.begin():
                if lock is not None and not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEYS[lock]})
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(store_url: str | None = None) -> Store:
    """Open a store. An empty database gets the current schema; an older schema is an error.

    Args:
        store_url: SQLAlchemy URL, `sqlite:///PATH` or `postgresql+psycopg://…`. The default is an SQLite file in the
            working directory.

    Raises:
        StoreError: The URL is not valid, the database is not reachable or writable, or its schema has another version.
    """
    url = _parse_url(store_url or DEFAULT_STORE_URL)
    with _store_errors(url):
        store = Store(_engine(url))
        try:
            _check_schema(store)
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
    url = _parse_url(store_url)
    with _store_errors(url), Store(_engine(url)) as store, store.write() as connection:
        _lock_schema(store, connection)
        before = _version(connection)
        _migrate(connection)
    return before, SCHEMA_VERSION


def _parse_url(store_url: str) -> URL:
    try:
        url = make_url(store_url)
    except ArgumentError:
        # Do not repeat the URL: it may contain a password.
        raise StoreError("the store URL is not of the form sqlite:///PATH or postgresql+psycopg://…") from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and sqlite3.sqlite_version_info < _MIN_SQLITE_VERSION:
        needed = ".".join(map(str, _MIN_SQLITE_VERSION))
        raise StoreError(
            f"this Python's SQLite is {sqlite3.sqlite_version}, a store needs {needed} or newer, or Postgres"
        )
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise StoreError(f"the store can be SQLite or Postgres, not {url.drivername!r}")
    return url


def _engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            connect_args={"timeout": _SQLITE_BUSY_SECONDS} if url.drivername == "sqlite" else {},
            json_serializer=json_text.encode,
            json_deserializer=_decode_json,
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StoreError("a Postgres store needs the extra: pip install 'singer-line[postgres]'") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _configure_postgres)
    return engine


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


def _check_schema(store: Store) -> None:
    with store.write() as connection:
        _lock_schema(store, connection)
        version = _version(connection)
        if version is None:
            _migrate(connection)
    if version not in (None, SCHEMA_VERSION):
        raise StoreError(
            f"the store at {_url_without_password(store.engine.url)} has schema {version}, this version needs "
            f"{SCHEMA_VERSION}: run `target-line-admin --store-url … upgrade`"
        )


def _lock_schema(store: Store, connection: Connection) -> None:
    if not store.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEYS["schema"]})


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _migrate(connection: Connection) -> None:
    # Alembic logs every step at INFO, including its import.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from line_core.store.schema import migrate  # noqa: PLC0415 - most runs need no migration, and Alembic is slow to import

    migrate(connection)


@contextmanager
def _store_errors(url: URL) -> Iterator[None]:
    """Convert errors of the database into a one-line `StoreError` that names the store without its password."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        if url.password:
            reason = reason.replace(str(url.password), "***")
        raise StoreError(f"cannot use the store at {_url_without_password(url)}: {reason}") from error


def _url_without_password(url: URL) -> str:
    return url.render_as_string(hide_password=True)
