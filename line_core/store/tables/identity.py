"""Identity: evidence by cluster, and an audit log of merges.

Profiles are not stored. A cluster holds the evidence of connected identifiers. Its profiles are a pure function of that
evidence (`line_core.identity.rules`), so they do not depend on the order of arrival or on restarts.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from line_core.store.tables.base import JsonDocument, RowNumber, UtcDateTime, metadata

clusters = Table(
    "identity_clusters",
    metadata,
    Column("cluster_id", BigInteger, primary_key=True, autoincrement=False),
    Column("evidence", Text, nullable=False, comment="See line_core.identity.codec"),
    Column("updated_at", UtcDateTime, nullable=False),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", String(8), primary_key=True, comment="id, email or line_id"),
    Column("provider", String(64), primary_key=True, comment="Provider of a LINE ID; empty for the other kinds"),
    Column("value", String(512), primary_key=True),
    # No foreign key: storing 30,000 new profiles would take 3 % more CPU on SQLite and 90 % more on PostgreSQL, server
    # included. `target-line-admin status --check` finds a broken reference.
    Column("cluster_id", BigInteger, nullable=False, comment="0 if too many people share it; it names nobody then"),
)

merges = Table(
    "merges",
    metadata,
    Column("merge_id", RowNumber, primary_key=True),
    Column("merged_at", UtcDateTime, nullable=False, comment="When the run saw it"),
    Column("rule", String(64), nullable=False),
    Column("survivor", String(640), nullable=False, comment="Strongest identifier of the surviving profile"),
    Column("absorbed", String(640), nullable=False, comment="Strongest identifier of the profile that went into it"),
    Column("identifier", String(640), nullable=False, comment="The identifier that joined or moved"),
    Column("evidence_at", UtcDateTime, comment="Time of the record that joined them"),
    Column("before", JsonDocument, nullable=False, comment="The profiles that the store had, as they were"),
    Column("undone_at", UtcDateTime, comment="When it was undone; null again if that was taken back"),
    Column("changed_at", UtcDateTime, comment="When it was undone, or this taken back; null if never"),
    Column("correction", JsonDocument, comment="Of a correction: what it added, to take it back"),
    Index(None, "survivor"),
    Index(None, "absorbed"),
    # Commands take these numbers, so none is used again, not even after the newest row was erased.
    sqlite_autoincrement=True,
)

counters = Table(
    "identity_counters",
    metadata,
    Column("counter", String(16), primary_key=True, comment="clusters: the last number used; erasures: how many"),
    Column("value", BigInteger, nullable=False),
)

policies = Table(
    "identity_policy",
    metadata,
    Column("policy_id", Integer, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("policy", JsonDocument, nullable=False, comment="The settings that who is who depends on, as last run with"),
    Column("saved_at", UtcDateTime, nullable=False),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("digest", String(64), primary_key=True, comment="HMAC-SHA-256 of an identifier of a forgotten person"),
    Column("forgotten_at", UtcDateTime, nullable=False),
)

admissions = Table(
    "admissions",
    metadata,
    Column("admission_id", RowNumber, primary_key=True),
    Column("digest", String(64), nullable=False, comment="As in forgotten; records that have it are taken in again"),
    Column("forgotten_at", UtcDateTime, nullable=False),
    Column("admitted_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

forgetting_keys = Table(
    "forgetting_keys",
    metadata,
    Column("key_id", Integer, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("key", String(64), nullable=False, comment="Key of the digests, random, hexadecimal"),
)
