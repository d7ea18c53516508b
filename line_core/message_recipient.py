"""Whom a message record is for, as the record says it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RECIPIENT_COLUMNS = ("line_id", "id", "email", "group_id", "room_id", "recipient")
"""The columns of a message record that can name its recipient."""


def recipient_of(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the column that names the recipient, and its value as text. Both are None after an erasure."""
    for column in RECIPIENT_COLUMNS:
        if (value := record.get(column)) not in (None, "", [], {}):
            return column, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None, None
