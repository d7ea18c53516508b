"""Runs of target-line: start, end, error, and the number of records by outcome."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from line_core.store.tables.base import JsonDocument, UtcDateTime, metadata

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("mode", String(16), nullable=False, comment="send, plan or validate"),
    Column("started_at", UtcDateTime, nullable=False),
    Column(
        "finished_at", UtcDateTime, comment="Null while the run has not ended, and for ever if its process was killed"
    ),
    Column("outcomes", JsonDocument, nullable=False, comment="Records by stream role and outcome; they add up"),
    Column("profiles", JsonDocument, nullable=False, comment="What the run did to the profiles"),
    Column("error", Text, comment="Why it ended early, if it did"),
    Index(None, "channel", "started_at"),
)
