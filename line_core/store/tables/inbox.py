"""Inbox: webhook events, positions of their readers, the relay queue, leases, and the heartbeat of receivers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

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
    Index(None, "message_id"),
    # Partial, because an index on the LINE ID of every event would halve the write rate of the receiver.
    Index(
        "ix_events_follows",
        "channel",
        "line_id",
        postgresql_where=text("type IN ('follow', 'unfollow')"),
        sqlite_where=text("type IN ('follow', 'unfollow')"),
    ),
    # Never reuse a position, not even after the newest event was deleted.
    sqlite_autoincrement=True,
)

readers = Table(
    "inbox_readers",
    metadata,
    Column("reader", String(128), primary_key=True, comment="Who reads"),
    Column("position", BigInteger, nullable=False, comment="The reader has kept everything up to here"),
    Column("updated_at", UtcDateTime, nullable=False),
)

relay_requests = Table(
    "relay_requests",
    metadata,
    Column("relay_id", RowNumber, primary_key=True, comment="Order of delivery"),
    Column("channel", String(64), nullable=False),
    Column("target", String(64), nullable=False, comment="SHA-256 of the URL, which may hold a secret"),
    Column("body", Text, nullable=False, comment="The request's body as LINE sent it"),
    Column("signature", String(64), nullable=False, comment="x-line-signature"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("dead_at", UtcDateTime, comment="When it was given up"),
    Column("error", Text, comment="Why it was given up"),
    Index(None, "channel", "target", "dead_at", "relay_id"),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("work", String(160), primary_key=True, comment="What only one process at a time does"),
    Column("owner", String(64), nullable=False, comment="The process that does it"),
    Column("expires_at", UtcDateTime, nullable=False, comment="When another may take it over"),
)

heartbeats = Table(
    "inbox_heartbeats",
    metadata,
    Column("heartbeat_id", Integer, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("beat_at", UtcDateTime, nullable=False, comment="When a receiver last proved that it can write"),
)
