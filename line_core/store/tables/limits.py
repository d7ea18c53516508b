"""Rate limits: the state of each endpoint's limit, for all processes on the store. Times in seconds since 1970."""

from __future__ import annotations

from sqlalchemy import Column, Double, String, Table

from line_core.store.tables.base import JsonDocument, metadata

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("endpoint", String(128), primary_key=True, comment="Method and path template"),
    Column("next_at", Double, nullable=False, comment="Time of the next permit; limits per second"),
    Column("granted", JsonDocument, nullable=False, comment="Times of the last permits (limits per minute or hour)"),
    Column("paused_until", Double, nullable=False, comment="No permit before this time"),
    Column("requesters", JsonDocument, nullable=False, comment="When each process last requested permits"),
)
