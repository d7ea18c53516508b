"""The inbox: every webhook event received, once, and how far it has been read."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from line_core.store.tables.base import RowNumber, UtcDateTime, metadata

events = Table(
    "events",
    metadata,
    Column("position", RowNumber, primary_key=True, comment="Reading order; see line_core.store.inbox"),
    Column("channel", String(64), nullable=False, comment="Name of the channel that received it"),
    Column(
        "webhook_event_id", String(64), nullable=False, comment="LINE's id (ULID), or a digest of an event without one"
    ),
    Column("type", String(64), nullable=False),
    Column("mode", String(16)),
    Column("occurred_at", UtcDateTime, nullable=False, comment="LINE's timestamp of the event"),
    Column("received_at", UtcDateTime, nullable=False, comment="When this receiver first got it"),
    Column("destination", String(80), comment="User ID of the bot that it was sent to"),
    Column("line_id", String(80), comment="source.userId"),
    Column("source_type", String(16), comment="user, group or room"),
    Column("chat_id", String(80), comment="source.groupId or source.roomId"),
    Column("message_id", String(64), comment="message.id or unsend.messageId"),
    Column("message_state", String(16), comment="current, superseded (edited since) or unsent (content blanked)"),
    Column("payload", Text, nullable=False, comment="The event as LINE sent it, JSON text"),
    Column("deliveries", Integer, nullable=False, server_default="1", comment="How often LINE sent it"),
    UniqueConstraint("channel", "webhook_event_id"),
    Index(None, "line_id"),
    Index(None, "message_id"),
    # A position is never given twice, not even after the newest event was erased.
    sqlite_autoincrement=True,
)

readers = Table(
    "inbox_readers",
    metadata,
    Column("reader", String(128), primary_key=True, comment="Who reads: a stream and its tap's name"),
    Column("position", BigInteger, nullable=False, comment="All up to here is safe with the reader"),
    Column("updated_at", UtcDateTime, nullable=False),
)
