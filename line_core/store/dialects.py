"""What SQLAlchemy leaves to each database: upserts, and statements about many values at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ARRAY, String, any_, bindparam, func, insert, select, update
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
        table: Where they go.
        rows: At least one.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    columns = list(rows[0])
    names = ", ".join(f'"{column}"' for column in columns)
    dialect = connection.dialect
    processors = [(name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in columns]
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([process(row[name]) if process else row[name] for name, process in processors])


def update_many(
    connection: Connection,
    table: Table,
    key: Column[Any],
    rows: Sequence[dict[str, Any]],
    *,
    where: ColumnElement[bool],
) -> None:
    """Update many rows, each by its key, in the fastest way that the database has.

    Args:
        connection: In a write transaction.
        table: What to update.
        key: Column that tells the rows apart among those of `where`.
        rows: The key's and the other columns' new values by column name; all with the same names, each key once.
        where: What holds for all rows that may be changed.
    """
    if not rows:
        return
    names = list(rows[0])
    changed = [name for name in names if name != key.name]
    if connection.dialect.name == "sqlite":
        by_key = update(table).where(where, key == bindparam(f"_{key.name}"))
        statement = by_key.values({name: bindparam(f"_{name}") for name in changed})
        connection.execute(statement, [{f"_{name}": value for name, value in row.items()} for row in rows])
        return
    arrays = [bindparam(None, [row[name] for row in rows], type_=ARRAY(table.c[name].type)) for name in names]
    new = func.unnest(*arrays).table_valued(*names).render_derived(name="new")
    statement = update(table).where(where, key == new.c[key.name])
    connection.execute(statement.values({name: new.c[name] for name in changed}))
