"""Rejects: records that were rejected, stored once each with the reason."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.rejects import rejects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import Identifier
    from target_line.reasons import Reason


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejected record."""

    stream: str
    record: Mapping[str, Any]
    reason: Reason
    detail: str
    column: str | None = None
    """Name of the invalid column, if it is one."""

    @property
    def digest(self) -> str:
        """SHA-256 of the record's content, hexadecimal: equal records have one row."""
        return hashlib.sha256(json.dumps(self.record, sort_keys=True).encode()).hexdigest()


class RemovedIdentifier(NamedTuple):
    """An identifier that was removed from its record: it is malformed, a placeholder, or erased on request."""

    column: str
    reason: Reason
    detail: str
    """May contain the value, except that of an erased identifier."""
    erased: Identifier | None = None
    """The identifier, if it was erased on request."""


def notice_reject(stream: str, record: Mapping[str, Any], removed: Sequence[RemovedIdentifier]) -> Reject:
    """Return the reject that says which identifiers were removed from a record that counts otherwise.

    Args:
        stream: Name of the stream.
        record: The record. Erased identifiers are not kept.
        removed: The removed identifiers, at least one.
    """
    erased = {each.column for each in removed if each.erased}
    kept = {name: value for name, value in record.items() if name.casefold() not in erased} if erased else record
    detail = "; ".join(each.detail for each in removed)
    return Reject(stream, kept, removed[0].reason, f"{detail} (the rest of the record counts)", removed[0].column)


def save_rejects(connection: Connection, channel: str, rejected: Sequence[Reject]) -> None:
    """Insert rejects. For a record that was rejected before, update its count and reason."""
    if not rejected:
        return
    now = datetime.now(UTC)
    statement = insert_on_conflict(connection, rejects)
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "stream", "digest"],
        set_={
            "reason": statement.excluded.reason,
            "detail": statement.excluded.detail,
            "times_seen": rejects.c.times_seen + 1,
            "last_seen_at": now,
            "replayed_at": None,
        },
    )
    # Sorted, so that two processes that reject the same records cannot deadlock.
    rows = [
        {
            "channel": channel,
            "stream": reject.stream,
            "digest": reject.digest,
            "reason": reject.reason,
            "detail": reject.detail,
            "record": reject.record,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for reject in sorted(rejected, key=lambda reject: (reject.stream, reject.digest))
    ]
    connection.execute(statement, rows)
