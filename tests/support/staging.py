"""Staging of message records without a run of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_line.sending.read.message import parse_message
from target_line.sending.staging import MessageToStage, Staging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


def stage_records(
    connection: Connection, records: Iterable[dict[str, Any]], *, channel: str = "main", run_id: str = "run"
) -> int:
    """Stage records, and return the number of new messages."""
    staged = [MessageToStage(parse_message(record, "default"), record) for record in records]
    return Staging(channel, run_id).stage(connection, staged).new
