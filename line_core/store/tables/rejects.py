"""Rejects: records that could not be processed, stored unchanged with a reason code."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from line_core.store.tables.base import JsonDocument, RowNumber, UtcDateTime, metadata

rejects = Table(
    "rejects",
    metadata,
    Column("reject_id", RowNumber, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("stream", String(255), nullable=False, comment="Stream that carried the record"),
    Column(
        "digest", String(64), nullable=False, comment="SHA-256 of the record, so that a replay is counted, not repeated"
    ),
    Column("reason", String(64), nullable=False, comment="Reason code"),
    Column("detail", Text, nullable=False, comment="What is wrong, in words"),
    Column("record", JsonDocument, nullable=False),
    Column("times_seen", Integer, nullable=False, server_default="1"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("replayed_at", UtcDateTime, comment="When it was accepted after a fix"),
    UniqueConstraint("channel", "stream", "digest"),
)
