"""Open the store on SQLite or Postgres, with its schema at the version that this code speaks."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
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

SCHEMA_VERSION = "0002"
"""The newest revision in `migrations/`."""

_SQLITE_BUSY_SECONDS = 60
# It has UPDATE … FROM and MATERIALIZED.
_SQLITE_NEEDED = (3, 35)
# One lock for schema changes and one for each part that must write in one order; any number of ours will do.
_LOCKS = {
    "schema": 0x4C494E45_00,
    "inbox": 0x4C494E45_01,
    "identity": 0x4C494E45_02,
    "ledger": 0x4C494E45_03,
    "audience": 0x4C494E45_04,
}


class Store:
    """The open database. Reads and writes are transactions; a write may be made the only one of its kind."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine whose schema is current; use `open_store`."""
        self.engine = engine
        self._writing = threading.RLock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite (one writer at a time) rather than Postgres."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one consistent view on SQLite, read committed on Postgres."""
        with _errors_named(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: str | None = None) -> Iterator[Connection]:
        """A write transaction, committed when the block ends well.

        Args:
            alone: Hold the lock of this part (`inbox`, `identity`, `ledger` or `audience`) until the commit, so that no
                other process writes to that part meanwhile. SQLite has one writer anyway.
        """
        # A second writer of SQLite only looks again from time to time: one that never rests could keep it waiting.
        turn = self._writing if self.is_sqlite else nullcontext()
        with turn, _errors_named(self.engine.url), self.engine.connect() as connection:
            connection.execution_options(sqlite_begin="IMMEDIATE")
            with connection.begin():
                if alone is not None and not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCKS[alone]})
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        """Use the store in a `with` block, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()


def open_store(store_url: str | None = None) -> Store:
    """Open a store; an empty database gets the schema, an older schema is refused.

    Args:
        store_url: SQLAlchemy URL, `sqlite:///PATH` or `postgresql+psycopg://…`; default an SQLite file in the working
            directory.

    Raises:
        StoreError: The URL is wrong, the database cannot be reached or written, or its schema is not this version's.
    """
    url = _parse(store_url or DEFAULT_STORE_URL)
    with _errors_named(url):
        store = Store(_engine(url))
        with store.write() as connection:
            _lock_schema(store, connection)
            current = _version(connection)
            if current is None:
                _migrate(connection)
    if current not in (None, SCHEMA_VERSION):
        store.close()
        raise StoreError(
            f"the store at {_shown(url)} has schema {current}, this version needs {SCHEMA_VERSION}: "
            "run `target-line-admin --store-url … upgrade`",
        )
    return store


def upgrade_store(store_url: str) -> tuple[str | None, str]:
    """Bring a store's schema to this version.

    Returns:
        The schema's version before and after.

    Raises:
        StoreError: The store cannot be reached or written.
    """
    url = _parse(store_url)
    with _errors_named(url), Store(_engine(url)) as store, store.write() as connection:
        _lock_schema(store, connection)
        before = _version(connection)
        _migrate(connection)
    return before, SCHEMA_VERSION


def _parse(store_url: str) -> URL:
    try:
        url = make_url(store_url)
    except ArgumentError:
        # The text may hold a password: never repeat it.
        raise StoreError("the store URL is not of the form sqlite:///PATH or postgresql+psycopg://…") from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and sqlite3.sqlite_version_info < _SQLITE_NEEDED:
        needed = ".".join(map(str, _SQLITE_NEEDED))
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
            json_serializer=json_text.write,
            json_deserializer=_from_json,
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StoreError("a Postgres store needs the extra: pip install 'singer-line[postgres]'") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _configure_postgres)
    return engine


def _from_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the DBAPI's connection
    # The driver's own transaction handling would commit behind SQLAlchemy's back; _begin_sqlite emits BEGIN instead.
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
    # A plan made while a table was empty is kept for the connection's life otherwise, and reads all of a grown table.
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for the lock in WAL mode: writers take it at once.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _lock_schema(store: Store, connection: Connection) -> None:
    if not store.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCKS["schema"]})


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _migrate(connection: Connection) -> None:
    # Alembic tells of every step at INFO, its own import included, to users who never heard of it.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from line_core.store.schema import migrate  # noqa: PLC0415 - most runs migrate nothing, and Alembic is slow to import

    migrate(connection)


@contextmanager
def _errors_named(url: URL) -> Iterator[None]:
    """Turn the database's own errors into one line that names the store and never its password."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        if url.password:
            reason = reason.replace(str(url.password), "***")
        raise StoreError(f"cannot use the store at {_shown(url)}: {reason}") from error


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)
