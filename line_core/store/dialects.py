"""What SQLAlchemy leaves to each database: upserts, and statements about many values at once."""

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
    """An insert with `.on_conflict_do_nothing()` and `.on_conflict_do_update()`, for the connection's database."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That a column's value is one of many; one parameter, however many there are.

    Args:
        connection: Tells the database.
        column: A column of text or whole numbers.
        values: Its values.
    """
    listed = _as_json(list(values))
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(listed).table_valued("value").c.value))
    # Not as an array: the driver writes those value by value.
    value = func.json_array_elements_text(cast(listed, postgresql.JSON)).column_valued("value")
    return column == any_(func.array(select(cast(value, column.type)).scalar_subquery()))


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
    # One parameter and one step, in which other threads go on, instead of thousands of each.
    stored = _as_json(list(zip(*(_stored(connection, table.c[name], rows) for name in names), strict=True)))
    fields: Iterator[ColumnElement[Any]]
    if is_sqlite:
        row = func.json_each(stored).table_valued("value").c.value
        fields = (func.json_extract(row, f"$[{place}]").label(name) for place, name in enumerate(names))
    else:
        row = func.json_array_elements(cast(stored, postgresql.JSON)).column_valued("value")
        fields = (cast(row.op("->>")(place), table.c[name].type).label(name) for place, name in enumerate(names))
    # Materialized, since else SQLite would look in the JSON for each row to be changed.
    new = select(*fields).cte("new").prefix_with("MATERIALIZED")
    statement = update(table).where(where, key == new.c[key.name])
    values = {name: new.c[name] for name in names if name != key.name}
    changed = connection.execute(statement.values({**values, **(same or {})}))
    # The driver does not count what a statement changed that begins with WITH.
    return int(connection.scalar(select(func.changes())) or 0) if is_sqlite else changed.rowcount


def _as_json(values: list[Any]) -> BindParameter[str]:
    return bindparam(None, msgspec.json.encode(values).decode(), type_=String())


def _stored(connection: Connection, column: Column[Any], rows: Iterable[dict[str, Any]]) -> Iterable[Any]:
    """A column's values as the driver takes them."""
    values = (row[column.name] for row in rows)
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if process is None:
        return values
    # Of times, most rows of a batch have the same.
    return map(lru_cache(process) if isinstance(column.type, UtcDateTime) else process, values)
