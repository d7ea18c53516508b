"""The SQL on the receiver's path, where every microsecond counts: one JSON parameter for any number of rows.

A statement for each row would cost a round trip on Postgres and, in SQLite, a fight for Python's lock with the thread
that answers requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from line_core.webhook_events.parsing import ReceivedEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_COLUMNS: Final = ReceivedEvent.__struct_fields__
_CHANNEL, _EVENT_ID, _MESSAGE_ID = map(_COLUMNS.index, ("channel", "webhook_event_id", "message_id"))

_encode = msgspec.json.Encoder().encode
_decode_pairs = msgspec.json.Decoder(list[tuple[str, str]]).decode


@dataclass(frozen=True, slots=True)
class Inserted:
    """What an insert found and did.

    Attributes:
        new: How many events were not stored before.
        last: The newest position before the first of them.
        known: Channel and message id of messages that other events, stored before, are about too.
    """

    new: int
    last: int
    known: set[tuple[str, str]]


def insert_events(connection: Connection, received: Sequence[ReceivedEvent]) -> Inserted:
    """Insert events in their order; those that are stored already are counted there.

    Args:
        connection: A transaction that holds the inbox's lock.
        received: Events that differ in channel or id.
    """
    rows = {"rows": _encode(received).decode()}
    run = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        last, repeated, known = run(_BEFORE_IN_SQLITE, rows).one()
        run(_INSERT_IN_SQLITE, rows)
        new = len(received) - repeated
    else:
        new, first, known = run(_INSERT_IN_POSTGRES, rows).one()
        last = first - 1 if new else 0
    return Inserted(new, last, set(_decode_pairs(known)))


def _sqlite_value(index: int) -> str:
    value = f"json_extract(incoming.value, '$[{index}]')"
    # The format of times that SQLAlchemy reads, with its microseconds.
    return f"strftime('%Y-%m-%d %H:%M:%f000', {value})" if _COLUMNS[index].endswith("_at") else value


def _postgres_value(index: int) -> str:
    return f"(incoming.value ->> {index})" + ("::timestamptz" if _COLUMNS[index].endswith("_at") else "")


# Only names of our own go into the statements.

_INTO: Final = f"INSERT INTO events ({', '.join(_COLUMNS)})"
_ON_CONFLICT: Final = "ON CONFLICT (channel, webhook_event_id) DO UPDATE SET deliveries = events.deliveries + 1"

_BEFORE_IN_SQLITE: Final = f"""
    SELECT coalesce(max(position), 0), (
        SELECT count(*) FROM json_each(:rows) AS incoming CROSS JOIN events AS stored
        WHERE stored.channel = {_sqlite_value(_CHANNEL)} AND stored.webhook_event_id = {_sqlite_value(_EVENT_ID)}
    ), (
        SELECT json_group_array(json_array(other.channel, other.message_id))
        FROM json_each(:rows) AS incoming CROSS JOIN events AS other
        WHERE other.message_id = {_sqlite_value(_MESSAGE_ID)}
            AND other.channel = {_sqlite_value(_CHANNEL)}
            AND other.webhook_event_id <> {_sqlite_value(_EVENT_ID)}
    ) FROM events
    """  # noqa: S608 - see above

_INSERT_IN_SQLITE: Final = f"""
    {_INTO} SELECT {", ".join(map(_sqlite_value, range(len(_COLUMNS))))}
    FROM json_each(:rows) AS incoming WHERE true {_ON_CONFLICT}
    """  # noqa: S608 - see above

_INSERT_IN_POSTGRES: Final = f"""
    WITH incoming AS (
        SELECT value FROM jsonb_array_elements(%(rows)s::jsonb)
    ), known AS (
        SELECT other.channel, other.message_id FROM events AS other
        -- The array keeps the planner on the index, whatever it believes of the table's size.
        WHERE other.message_id = ANY (ARRAY(SELECT {_postgres_value(_MESSAGE_ID)} FROM incoming))
            AND EXISTS (
                SELECT FROM incoming WHERE other.message_id = {_postgres_value(_MESSAGE_ID)}
                    AND other.channel = {_postgres_value(_CHANNEL)}
                    AND other.webhook_event_id <> {_postgres_value(_EVENT_ID)}
            )
    ), stored AS (
        {_INTO} SELECT {", ".join(map(_postgres_value, range(len(_COLUMNS))))} FROM incoming
        {_ON_CONFLICT} RETURNING position, deliveries
    )
    SELECT count(*), min(position), (
        SELECT coalesce(json_agg(json_build_array(channel, message_id)), '[]')::text FROM known
    ) FROM stored WHERE deliveries = 1
    """  # noqa: S608 - see above
