"""Statements that differ between SQLite and Postgres: upserts, and bulk statements with one JSON parameter."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import String, any_, bindparam, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from line_core.store.tables.base import UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Table


def insert_on_conflict(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that has `on_conflict_do_nothing()` and `on_conflict_do_update()`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def in_values(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values. It needs one parameter for any number of values.

    Args:
        connection: Connection whose dialect the condition is for.
        column: A column of type text or integer.
        values: Values of the column.
    """
    listed = _as_json(list(values))
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(listed).table_valued("value").c.value))
    # JSON and not an array, because the driver encodes an array value by value, which is slower.
    value = func.json_array_elements_text(cast(listed, postgresql.JSON)).column_valued("value")
    return column == any_(func.array(select(cast(value, column.type)).scalar_subquery()))


def insert_many(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows: with `executemany` on SQLite, with `COPY` on Postgres.

    Args:
        connection: A write transaction.
        table: Table to insert into.
        rows: At least one row; all rows have the same keys.
    """
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = zip(*(_driver_values(connection, column, rows) for column in columns), strict=True)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', list(values))  # noqa: S608 - names of tables and columns only
        return
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in values:
            copy.write_row(row)


def update_many(  # noqa: PLR0913 - all are parts of one UPDATE
    connection: Connection,
    table: Table,
    key: Column[Any],
    rows: Sequence[dict[str, Any]],
    *,
    where: ColumnElement[bool],
    same: Mapping[str, Any] | None = None,
) -> int:
    """Update many rows, each with its own values, in one statement with one JSON parameter.

    Args:
        connection: A write transaction.
        table: Table to update.
        key: Column that is unique among the rows that match `where`.
        rows: Values by column name: the key, and the new values of other columns, which must not be JSON columns. All
            rows have the same names, and each key occurs once.
        where: Further condition for rows to change. Its values are texts or numbers.
        same: Columns that get the same value in all rows.

    Returns:
        Number of rows that were changed.
    """
    if not rows:
        return 0
    names = list(rows[0])
    is_sqlite = connection.dialect.name == "sqlite"
    # One statement releases Python's global interpreter lock once for a long time, and not thousands of times.
    packed = _as_json(list(zip(*(_driver_values(connection, table.c[name], rows) for name in names), strict=True)))
    fields: Iterator[ColumnElement[Any]]
    if is_sqlite:
        row = func.json_each(packed).table_valued("value").c.value
        fields = (func.json_extract(row, f"$[{place}]").label(name) for place, name in enumerate(names))
    else:
        row = func.json_array_elements(cast(packed, postgresql.JSON)).column_valued("value")
        fields = (cast(row.op("->>")(place), table.c[name].type).label(name) for place, name in enumerate(names))
    # Materialized, because SQLite would otherwise parse the JSON again for each row of the table.
    new = select(*fields).cte("new").prefix_with("MATERIALIZED")
    statement = update(table).where(where, key == new.c[key.name])
    values = {name: new.c[name] for name in names if name != key.name}
    changed = connection.execute(statement.values({**values, **(same or {})}))
    # SQLite's driver reports no row count for a statement that starts with WITH.
    return int(connection.scalar(select(func.changes())) or 0) if is_sqlite else changed.rowcount


def _as_json(values: list[Any]) -> BindParameter[str]:
    return bindparam(None, msgspec.json.encode(values).decode(), type_=String())


def _driver_values(connection: Connection, column: Column[Any], rows: Iterable[dict[str, Any]]) -> Iterable[Any]:
    """Return the values of a column as the driver expects them."""
    values = (row[column.name] for row in rows)
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if process is None:
        return values
    # Most rows of a batch have the same few times, so converting them is cached.
    return map(lru_cache(process) if isinstance(column.type, UtcDateTime) else process, values)
