"""Rate limits: which places to call LINE in are given out, for all processes that share the store."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from line_core.store.tables.base import JsonDocument, metadata

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("endpoint", String(128), primary_key=True, comment="Method and path template"),
    Column("calendar", JsonDocument, nullable=False, comment="See line_core.api.pace.Calendar"),
)
