"""The version of a store's schema: created if the database is empty, checked otherwise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from line_core.errors import StoreError
from line_core.store.sqlite_file import missing_store_error
from line_core.store.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from line_core.store.location import StoreLocation

SCHEMA_VERSION = "0009"
"""Newest revision in `migrations/`. The revisions are numbered."""


def prepare_schema(connection: Connection, location: StoreLocation, *, create: bool = True) -> bool:
    """Check the version of the tables. Create them in an empty database.

    Args:
        connection: A write transaction that holds the lock of the schema; without `create`, any transaction.
        location: Where the store is, for error messages.
        create: Whether the tables may be created.

    Returns:
        Whether they were created.

    Raises:
        StoreError: The tables have another version, are those of another program, or are missing without `create`.
    """
    version = checked_version(connection, location)
    if version is None:
        if not create:
            raise missing_store_error(location)
        migrate(connection)
        return True
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"the store at {location} has schema {version}, this version needs {SCHEMA_VERSION}: run "
            "`target-line-admin --store-url … upgrade`"
        )
    return False


def checked_version(connection: Connection, location: StoreLocation) -> str | None:
    """Return the version of the store's schema, or None if the database has no table of a store.

    Raises:
        StoreError: A newer version of the program, or another program, created the tables.
    """
    tables = set(inspect(connection).get_table_names(schema=_current_schema(connection)))
    if "alembic_version" not in tables:
        if foreign := sorted(tables & metadata.tables.keys()):
            raise StoreError(
                f"the database at {location} has a table {foreign[0]} that does not belong to a store. Use another "
                "database, or on Postgres another schema: …?schema=NAME"
            )
        return None
    version = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    if not version.isdecimal() or "identity_clusters" not in tables:
        raise StoreError(
            f"the database at {location} belongs to another program, which also uses Alembic. Use another database, or "
            "on Postgres another schema: …?schema=NAME"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store at {location} has schema {version}, which a newer version of this program created; this "
            f"version knows {SCHEMA_VERSION}. Use the newer version"
        )
    return version


def migrate(connection: Connection) -> None:
    """Apply all missing revisions, in the transaction of the connection."""
    # Alembic logs every step at INFO, including its import.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from line_core.store.schema import migrate as apply_revisions  # noqa: PLC0415 - most runs need no migration, and Alembic is slow to import

    apply_revisions(connection)


def _current_schema(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        return None
    schema: str | None = connection.execute(text("SELECT current_schema()")).scalar_one()
    return schema
