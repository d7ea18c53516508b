"""Follow evidence that the tap collects from LINE's API: listings of followers, and profile requests."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from line_core.store.tables.base import RowNumber, UtcDateTime, metadata

contacts = Table(
    "contacts",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("line_id", String(80), primary_key=True),
    Column("listed_at", UtcDateTime, comment="When LINE last listed the person as a follower"),
    Column("checked_at", UtcDateTime, comment="When LINE was last asked for the profile"),
    Column("is_reachable", Boolean, comment="Whether there was one"),
    Column("checked_for", String(36), comment="The pipeline that got the profile; see tap_line.streams.profiles"),
    Index(None, "channel", "listed_at"),
)

# Changes only: a row is written when the evidence about a person differs from all earlier evidence.
findings = Table(
    "findings",
    metadata,
    Column("finding_id", RowNumber, primary_key=True, comment="Order; a reader never skips one"),
    Column("channel", String(64), nullable=False),
    Column("line_id", String(80), nullable=False),
    Column("finding", String(16), nullable=False, comment="listed, missing, reachable or unreachable"),
    Column("found_at", UtcDateTime, nullable=False),
    Index(None, "channel", "line_id"),
    sqlite_autoincrement=True,
)
