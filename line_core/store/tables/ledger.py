"""The ledger: each message record once, and each request to LINE that carried messages.

A request's retry key, body and members are fixed by one commit before its first byte leaves; the same row is what a
later run sends again, byte for byte, as long as LINE honours the key.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from line_core.store.tables.base import JsonDocument, UtcDateTime, metadata

requests = Table(
    "requests",
    metadata,
    Column("retry_key", String(36), primary_key=True, comment="X-Line-Retry-Key, a UUID"),
    Column("channel", String(64), nullable=False),
    Column("method", String(16), nullable=False, comment="push, multicast, narrowcast or broadcast"),
    Column("body", Text, nullable=False, comment="The JSON sent, the same at every attempt"),
    Column("status", String(16), nullable=False, comment="claimed, accepted, rejected or unknown"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_by", String(36), nullable=False, comment="The run that may release it, if LINE did not accept it"),
    Column("claimed_at", UtcDateTime, nullable=False, comment="LINE honours the key for 24 hours from the first try"),
    Column("finished_at", UtcDateTime),
    Column("request_id", String(64), comment="LINE's id of the accepted request"),
    Column("error", Text, comment="LINE's words, or the transport's"),
    Index(None, "channel", "status"),
)

messages = Table(
    "messages",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("message_id", String(255), primary_key=True, comment="The customer's idempotency key"),
    Column("status", String(16), nullable=False, comment="scheduled, claimed, accepted, rejected, skipped or unknown"),
    Column("reason", String(64), comment="Why it was rejected or skipped"),
    Column("detail", Text, comment="The reason in words"),
    Column("record", JsonDocument, nullable=False, comment="The message record as it came"),
    Column("line_id", String(80), comment="Whom it went to"),
    Column("retry_key", String(36), ForeignKey(requests.c.retry_key)),
    Column("campaign", String(30)),
    Column("send_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("staged_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "channel", "status", "send_at"),
    Index(None, "retry_key"),
    Index(None, "updated_at"),
)
