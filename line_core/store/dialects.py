"""What SQLAlchemy leaves to each database: upserts, and statements about many values at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ARRAY, String, any_, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from line_core.store.tables.base import UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Connection, FromClause, Table
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
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = zip(*(_stored(connection, column, rows) for column in columns), strict=True)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', list(values))  # noqa: S608 - names of our own tables
        return
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in values:
            copy.write_row(row)


def update_many(  # noqa: PLR0913 - what an update has
    connection: Connection,
    table: Table,
    key: Column[Any],
    rows: Sequence[dict[str, Any]],
    *,
    where: ColumnElement[bool],
    same: Mapping[str, Any] | None = None,
) -> int:
    """Update many rows, each by its key, in the fastest way that the database has.

    Args:
        connection: In a write transaction.
        table: What to update.
        key: Column that tells the rows apart among those of `where`.
        rows: The key's and the other columns' new values by column name, none of them JSON; all with the same names,
            each key once.
        where: What holds for all rows that may be changed; its values are texts or numbers.
        same: Columns that get the same value in all rows.

    Returns:
        How many were changed.
    """
    if not rows:
        return 0
    names = list(rows[0])
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # One parameter and one step, in which other threads go on, instead of thousands of each.
        listed = zip(*(_stored(connection, table.c[name], rows) for name in names), strict=True)
        parameter = bindparam(None, msgspec.json.encode(list(listed)).decode(), type_=String())
        row = func.json_each(parameter).table_valued("value").c.value
        fields = (func.json_extract(row, f"$[{place}]").label(name) for place, name in enumerate(names))
        # Materialized, since else each row to be changed would be looked for in the JSON.
        new: FromClause = select(*fields).cte("new").prefix_with("MATERIALIZED")
    else:
        arrays = [bindparam(None, [row[name] for row in rows], type_=ARRAY(table.c[name].type)) for name in names]
        new = func.unnest(*arrays).table_valued(*names).render_derived(name="new")
    statement = update(table).where(where, key == new.c[key.name])
    values = {name: new.c[name] for name in names if name != key.name}
    changed = connection.execute(statement.values({**values, **(same or {})}))
    # The driver does not count what a statement changed that begins with WITH.
    return int(connection.scalar(select(func.changes())) or 0) if is_sqlite else changed.rowcount


def _stored(connection: Connection, column: Column[Any], rows: Iterable[dict[str, Any]]) -> Iterable[Any]:
    """A column's values as the driver takes them."""
    values = (row[column.name] for row in rows)
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if process is None:
        return values
    # Of times, most rows of a batch have the same.
    return map(lru_cache(process) if isinstance(column.type, UtcDateTime) else process, values)
