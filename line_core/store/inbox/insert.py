"""Insert webhook events with one statement and one JSON parameter for any number of rows.

This SQL runs for every webhook request. One statement per row would cost one round trip per row on Postgres. On SQLite
it would make the writing thread and the request thread compete for Python's global interpreter lock.
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
class InsertResult:
    """Result of one insert."""

    new: int
    """Number of events that were not stored before."""
    last_position_before: int
    """Highest position before the insert. Meaningful only if there are new events."""
    known_messages: set[tuple[str, str]]
    """Channel and message id of each message that an earlier stored event is about, too."""


def insert_events(connection: Connection, received: Sequence[ReceivedEvent]) -> InsertResult:
    """Insert events in their order, and increase the delivery count of those that are stored already.

    Args:
        connection: A transaction that holds the inbox lock.
        received: Events that differ in channel or id.
    """
    rows = {"rows": _encode(received).decode()}
    execute = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        last, repeated, known = execute(_SQLITE_LOOKUP, rows).one()
        execute(_SQLITE_INSERT, rows)
        new = len(received) - repeated
    else:
        new, first, known = execute(_POSTGRES_INSERT, rows).one()
        last = first - 1 if new else 0
    return InsertResult(new, last, set(_decode_pairs(known)))


def _sqlite_value(index: int) -> str:
    value = f"json_extract(incoming.value, '$[{index}]')"
    # SQLAlchemy reads times in this format, with microseconds.
    return f"strftime('%Y-%m-%d %H:%M:%f000', {value})" if _COLUMNS[index].endswith("_at") else value


def _postgres_value(index: int) -> str:
    return f"(incoming.value ->> {index})" + ("::timestamptz" if _COLUMNS[index].endswith("_at") else "")


# The statements are built from column names only, never from data.

_INTO: Final = f"INSERT INTO events ({', '.join(_COLUMNS)})"
_ON_CONFLICT: Final = "ON CONFLICT (channel, webhook_event_id) DO UPDATE SET deliveries = events.deliveries + 1"

_SQLITE_LOOKUP: Final = f"""
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

_SQLITE_INSERT: Final = f"""
    {_INTO} SELECT {", ".join(map(_sqlite_value, range(len(_COLUMNS))))}
    FROM json_each(:rows) AS incoming WHERE true {_ON_CONFLICT}
    """  # noqa: S608 - see above

_POSTGRES_INSERT: Final = f"""
    WITH incoming AS (
        SELECT value FROM jsonb_array_elements(%(rows)s::jsonb)
    ), known AS (
        SELECT other.channel, other.message_id FROM events AS other
        -- The array makes the planner use the index even with outdated table statistics.
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
