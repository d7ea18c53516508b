"""The SQL on the receiver's path, where every microsecond counts: one JSON parameter for any number of rows.

A statement for each row would cost a round trip on Postgres and, in SQLite, a fight for Python's lock with the thread
that answers requests. All functions want a transaction that holds the inbox's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import text

from line_core.events import ReceivedEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

_COLUMNS: Final = ReceivedEvent.__struct_fields__
_encode = msgspec.json.Encoder().encode


def _sqlite_value(index: int, name: str) -> str:
    value = f"json_extract(value, '$[{index}]')"
    # The format of times that SQLAlchemy reads, with its microseconds.
    return f"strftime('%Y-%m-%d %H:%M:%f000', {value})" if name.endswith("_at") else value


def _postgres_value(index: int, name: str) -> str:
    return f"(value ->> {index})::timestamptz" if name.endswith("_at") else f"value ->> {index}"


_INSERT_INTO: Final = f"INSERT INTO events ({', '.join(_COLUMNS)}) "
_ON_CONFLICT: Final = " ON CONFLICT (channel, webhook_event_id) DO UPDATE SET deliveries = events.deliveries + 1"

_LAST_POSITION: Final = {
    "sqlite": text("SELECT coalesce(max(position), 0) FROM events"),
    # A plan made for the empty table of the first minute would be kept, and read all of a table that has grown since.
    "postgresql": text(
        "SELECT coalesce(max(position), 0), set_config('plan_cache_mode', 'force_custom_plan', true) FROM events"
    ),
}

_INSERT_IN_SQLITE: Final = text(
    f"{_INSERT_INTO} SELECT {', '.join(_sqlite_value(index, name) for index, name in enumerate(_COLUMNS))}"  # noqa: S608 - only our own names
    f" FROM json_each(:rows) WHERE true {_ON_CONFLICT}"
)
_COUNT_NEW_IN_SQLITE: Final = text("SELECT count(*) FROM events WHERE position > :last")

_INSERT_AND_COUNT_NEW_IN_POSTGRES: Final = text(
    f"WITH stored AS ({_INSERT_INTO}"  # noqa: S608 - as above
    f" SELECT {', '.join(_postgres_value(index, name) for index, name in enumerate(_COLUMNS))}"
    f" FROM jsonb_array_elements(CAST(:rows AS jsonb)) {_ON_CONFLICT} RETURNING deliveries)"
    " SELECT count(*) FROM stored WHERE deliveries = 1"
)

# The array keeps Postgres's planner on the index, whatever it believes of the table's size.
_KNOWN_BEFORE: Final = {
    database: text(
        f"SELECT channel, message_id FROM events WHERE message_id {among_ids}"  # noqa: S608 - as above
        " GROUP BY channel, message_id HAVING count(*) > 1 AND max(position) > :last"
    )
    for database, among_ids in {
        "sqlite": "IN (SELECT value FROM json_each(:ids))",
        "postgresql": "= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(:ids AS jsonb))))",
    }.items()
}


def last_position(connection: Connection) -> int:
    """The newest position, 0 in an empty inbox."""
    return int(connection.execute(_LAST_POSITION[connection.dialect.name]).scalar_one())


def insert_events(connection: Connection, received: Sequence[ReceivedEvent], last: int) -> int:
    """Insert events that differ in channel or id, in their order; those that are stored already are counted there.

    Args:
        connection: The transaction.
        received: The events.
        last: The newest position before.

    Returns:
        How many are new.
    """
    rows = {"rows": _encode(received).decode()}
    if connection.dialect.name == "sqlite":
        connection.execute(_INSERT_IN_SQLITE, rows)
        return int(connection.execute(_COUNT_NEW_IN_SQLITE, {"last": last}).scalar_one())
    return int(connection.execute(_INSERT_AND_COUNT_NEW_IN_POSTGRES, rows).scalar_one())


def messages_known_before(connection: Connection, message_ids: Collection[str], last: int) -> list[tuple[str, str]]:
    """Find the messages that several events are about, the newest of them after `last`.

    Returns:
        Channel and message id of each.
    """
    parameters = {"ids": _encode(message_ids).decode(), "last": last}
    return [(row[0], row[1]) for row in connection.execute(_KNOWN_BEFORE[connection.dialect.name], parameters)]
