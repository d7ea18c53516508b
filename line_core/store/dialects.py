"""What SQLAlchemy leaves to each database: upserts, and statements about many values at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ARRAY, String, any_, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement, Connection, Table
    from sqlalchemy.types import TypeEngine


def insert_on_conflict(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert with `.on_conflict_do_nothing()` and `.on_conflict_do_update()`, for the connection's database."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That a column's value is one of many; one parameter, however many there are.

    Args:
        connection: Tells the database.
        column: A column of text or whole numbers.
        values: Its values.
    """
    listed = list(values)
    if connection.dialect.name == "sqlite":
        parameter = bindparam(None, msgspec.json.encode(listed).decode(), type_=String())
        return column.in_(select(func.json_each(parameter).table_valued("value").c.value))
    kind: TypeEngine[Any] = column.type
    return column == any_(bindparam(None, listed, type_=ARRAY(kind)))


def insert_many(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows with the same keys, in the fastest way that the database has.

    Args:
        connection: In a write transaction.
        table: Whose columns of JSON, if any, are already text.
        rows: At least one.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    columns = list(rows[0])
    names = ", ".join(f'"{column}"' for column in columns)
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])
