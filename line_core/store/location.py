"""Where a store is: the parsed store URL, and the PostgreSQL schema that holds its tables."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote
from zlib import crc32

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from line_core.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import URL

DEFAULT_SCHEMA = "line_store"
"""PostgreSQL schema of new stores. A schema of their own lets them share a database with other programs."""

# Oldest version with UPDATE … FROM and MATERIALIZED.
_MIN_SQLITE_VERSION = (3, 35)
_SCHEMA_PARAMETER = "schema"


class StoreLocation(NamedTuple):
    """The database of a store, and its PostgreSQL schema if the URL names one."""

    url: URL
    schema: str | None

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def without_password(self, text: str) -> str:
        """Return an error text of the database driver without the password, as it is and as URLs spell it."""
        password = str(self.url.password or "")
        for spelling in {password, quote(password), quote(password, safe="")} - {""}:
            text = text.replace(spelling, "***")
        return text


def parse_store_url(store_url: str) -> StoreLocation:
    """Parse `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE[?schema=NAME]`.

    The password can contain `@`, `:` and `/` without percent-encoding.

    Raises:
        StoreError: The URL has another form, or names a database that is not supported.
    """
    try:
        url = make_url(_with_encoded_password(store_url))
    except (ArgumentError, ValueError):
        # Do not repeat the URL: it may contain a password.
        raise StoreError("the store URL is not of the form sqlite:///PATH or postgresql://…") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and sqlite3.sqlite_version_info < _MIN_SQLITE_VERSION:
        needed = ".".join(map(str, _MIN_SQLITE_VERSION))
        raise StoreError(
            f"this Python's SQLite is {sqlite3.sqlite_version}, a store needs {needed} or newer, or Postgres"
        )
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise StoreError(f"the store can be SQLite or Postgres, not {url.drivername!r}")
    schema = url.query.get(_SCHEMA_PARAMETER) if url.drivername != "sqlite" else None
    if isinstance(schema, tuple) or schema == "":
        raise StoreError("the store URL must name one schema")
    return StoreLocation(url.difference_update_query([_SCHEMA_PARAMETER]), schema)


class SchemaSelector:
    """Makes every connection of a PostgreSQL engine use the schema of the store, and only this schema.

    The store is in the schema that the URL names, else in `line_store`. A store of an earlier version, which had no
    schema of its own, stays in the schema that the server selects by default (usually `public`).
    """

    def __init__(self, schema: str | None) -> None:
        self.schema = schema

    def __call__(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - the DBAPI's connection
        """Set the search path of a new connection. The first one finds the schema."""
        with connection.cursor() as cursor:
            if self.schema is None:
                cursor.execute(_FIND_EARLIER_STORE)
                earlier = cursor.fetchone()
                self.schema = earlier[0] if earlier else DEFAULT_SCHEMA
            cursor.execute("SELECT set_config('search_path', quote_ident(%s), false)", (self.schema,))
        connection.commit()

    def lock_key(self, key: int) -> int:
        """Return the key of an advisory lock of this store. Advisory locks belong to the database, not to a schema."""
        if self.schema in (None, "public"):
            return key
        return key ^ (crc32(str(self.schema).encode()) << 24)


# The name of the default schema, if it contains a store and there is no store in `line_store`.
_FIND_EARLIER_STORE = f"""
    SELECT current_schema()
    WHERE to_regclass('{DEFAULT_SCHEMA}.identity_clusters') IS NULL
      AND to_regclass(quote_ident(current_schema()) || '.identity_clusters') IS NOT NULL
      AND to_regclass(quote_ident(current_schema()) || '.alembic_version') IS NOT NULL
"""


def _with_encoded_password(store_url: str) -> str:
    """Return the URL with a password that the parser of SQLAlchemy reads to its end."""
    scheme, separator, rest = store_url.partition("://")
    authority, question_mark, query = rest.partition("?")
    user_information, at, host = authority.rpartition("@")
    user, colon, password = user_information.partition(":")
    if not colon or not at or scheme.startswith("sqlite"):
        return store_url
    encoded = quote(unquote(password), safe="")
    return f"{scheme}{separator}{user}:{encoded}@{host}{question_mark}{query}"
