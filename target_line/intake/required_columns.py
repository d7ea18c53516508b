"""Columns without which no record of a stream can be accepted, checked when the SCHEMA message arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_line.intake.roles import Role
from target_line.intake.singer_reader import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE_ID = (("line_id",),)
_REQUIRED: Mapping[Role, tuple[tuple[str, ...], ...]] = {
    Role.PROFILES: (("id", "email", "line_id"),),
    Role.FOLLOWS: (("line_id",), ("type",)),
    Role.FOLLOWERS: _LINE_ID,
    Role.FRIENDSHIPS: (("line_id",), ("follow_state",)),
    Role.MESSAGES: (
        ("message_id",),
        ("line_id", "id", "email", "group_id", "room_id", "recipient"),
        ("messages", "text"),
    ),
    Role.CANCELLATIONS: (("message_id", "campaign"),),
}
"""For each role, groups of columns. A stream needs at least one column of each group."""
_SHOWN_COLUMNS = 20


def check_columns(stream: str, role: Role, schema: Mapping[str, Any]) -> None:
    """Check that records of the stream can be accepted. Column names are compared without case.

    A schema that declares no column is not checked: its records can have any column.

    Raises:
        InputError: A needed column is missing.
    """
    columns = list(schema.get("properties", {}))
    names = {column.casefold() for column in columns}
    for group in _REQUIRED[role]:
        if columns and names.isdisjoint(group):
            shown = ", ".join(columns[:_SHOWN_COLUMNS]) + (", …" if len(columns) > _SHOWN_COLUMNS else "")
            needed = group[0] if len(group) == 1 else f"one of {', '.join(group)}"
            raise InputError(
                f"stream {stream!r} has the role {role}, which needs {needed}. Its columns are: {shown}. Rename the "
                "column with stream_maps, or correct the role with stream_roles"
            )
