"""Ledger: each message record once, and each request to LINE that carries messages.

One commit stores the retry key, the body and the messages of a request before the request is sent. A later run sends
the same body again with the same key, as long as LINE accepts the key.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from line_core.store.tables.base import JsonDocument, UtcDateTime, metadata

requests = Table(
    "requests",
    metadata,
    Column("retry_key", String(36), primary_key=True, comment="X-Line-Retry-Key, a UUID"),
    Column("channel", String(64), nullable=False),
    Column("method", String(16), nullable=False, comment="push, multicast, narrowcast or broadcast"),
    Column("body", Text, nullable=False, comment="The JSON sent, the same at every attempt"),
    Column("recipients", Integer, nullable=False, comment="How much of the quota it needs; 0 where only LINE knows"),
    Column("status", String(16), nullable=False, comment="claimed, accepted, rejected or unknown"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_by", String(36), nullable=False, comment="The run that may release it, if LINE did not accept it"),
    Column("claimed_at", UtcDateTime, nullable=False, comment="LINE honours the key for 24 hours from the first try"),
    Column("finished_at", UtcDateTime),
    Column("request_id", String(64), comment="LINE's id of the accepted request"),
    Column("error", Text, comment="LINE's words, or the transport's"),
    Column(
        "recipient_kind",
        String(16),
        comment="user, group, room, followers (broadcast) or selection (narrowcast); null if unknown",
    ),
    # 0 by default, so that a request of an earlier version counts as attempted.
    Column(
        "never_attempted",
        Integer,
        nullable=False,
        server_default="0",
        comment="1 from the claim until just before the request may leave: LINE has certainly not got it",
    ),
    Column("progress", String(16), comment="Last phase of an accepted narrowcast: succeeded or failed; null before"),
    Index(None, "channel", "status"),
    Index(None, "channel", "claimed_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("message_id", String(255), primary_key=True, comment="The customer's idempotency key"),
    Column("status", String(16), nullable=False, comment="scheduled, claimed, accepted, rejected, skipped or unknown"),
    Column("reason", String(64), comment="Why it was rejected or skipped, or is held back"),
    Column("detail", Text, comment="The reason in words"),
    Column("record", JsonDocument, nullable=False, comment="The message record as it came"),
    Column("content_key", String(32), nullable=False, comment="The same for messages of the same content and options"),
    Column("line_id", String(80), comment="Whom it went to: a user, a group or a room"),
    # No foreign key: it would slow down claims, and one package writes both tables in one transaction.
    Column("retry_key", String(36), comment="The request that carries it"),
    Column("campaign", String(30), comment="Custom aggregation unit"),
    Column("send_at", UtcDateTime, comment="Not before; as the record has it"),
    Column("due_at", UtcDateTime, comment="Not before: send_at, or the end of what holds it back; null is at once"),
    Column("expires_at", UtcDateTime, comment="Not after; as the record has it"),
    Column("staged_by", String(36), nullable=False, comment="The run that took it in"),
    Column("staged_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column(
        "set_aside_count",
        Integer,
        nullable=False,
        server_default="0",
        comment="Runs in which LINE answered 429 for this message and accepted others",
    ),
    Column("set_aside_since", UtcDateTime, comment="The first of these runs"),
    Column(
        "send_order",
        Integer,
        nullable=False,
        server_default="0",
        comment="Smaller numbers are sent first: the negated priority; transactional messages have the smallest",
    ),
    Column(
        "due_minute",
        Integer,
        nullable=False,
        server_default="0",
        comment="Of equal send_order, the oldest is first: minutes from 1970 to send_at, else to the run's start",
    ),
    Column(
        "refused_requests",
        Integer,
        nullable=False,
        server_default="0",
        comment="Requests for the message that LINE did not accept; its next retry key derives from the number",
    ),
    Index(None, "updated_at"),
    Index(None, "staged_by"),
)

# Accepted narrowcasts whose end is not known yet.
Index(
    "ix_requests_running_narrowcasts",
    requests.c.channel,
    sqlite_where=(requests.c.method == "narrowcast") & requests.c.progress.is_(None),
    postgresql_where=(requests.c.method == "narrowcast") & requests.c.progress.is_(None),
)

Index(
    "ix_messages_retry_key",
    messages.c.retry_key,
    sqlite_where=messages.c.retry_key.is_not(None),
    postgresql_where=messages.c.retry_key.is_not(None),
)

# Scheduled messages in planning order, so that messages with the same content are adjacent.
Index(
    "ix_messages_scheduled",
    messages.c.channel,
    messages.c.send_order,
    messages.c.due_minute,
    messages.c.content_key,
    messages.c.message_id,
    sqlite_where=messages.c.status == "scheduled",
    postgresql_where=messages.c.status == "scheduled",
)

plans = Table(
    "plans",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("plan_hash", String(64), primary_key=True, comment="SHA-256 of who gets what"),
    Column("made_at", UtcDateTime, nullable=False),
    Column("summary", JsonDocument, nullable=False, comment="Counts and examples, as they were printed"),
)

cancelled_campaigns = Table(
    "cancelled_campaigns",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("campaign", String(30), primary_key=True),
    Column("cancelled_at", UtcDateTime, nullable=False, comment="Deleted once the scheduled messages are withdrawn"),
)
