"""Corrections that can be taken back, cluster numbers that are never used again, and admissions after an erasure.

SQLite uses the number of the newest row again after the row was deleted, unless the table has AUTOINCREMENT. Commands
take the numbers of merges, so the table gets it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("merges", table_kwargs={"sqlite_autoincrement": True}) as merges:
        merges.add_column(
            sa.Column(
                "correction",
                sa.JSON(none_as_null=True),
                nullable=True,
                comment="Of a correction: what it added, to take it back",
            )
        )
        merges.alter_column(
            "undone_at",
            existing_type=sa.DateTime(timezone=True),
            existing_nullable=True,
            comment="When it was undone; null again if that was taken back",
        )
    counters = op.create_table(
        "identity_counters",
        sa.Column(
            "counter",
            sa.String(length=16),
            nullable=False,
            comment="clusters: the last number used; erasures: how many",
        ),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("counter", name=op.f("pk_identity_counters")),
    )
    clusters = sa.table("identity_clusters", sa.column("cluster_id"))
    identifiers = sa.table("identifiers", sa.column("cluster_id"))
    used = sa.union_all(sa.select(clusters.c.cluster_id), sa.select(identifiers.c.cluster_id)).subquery()
    last = sa.select(sa.literal("clusters"), sa.func.coalesce(sa.func.max(used.c.cluster_id), 0))
    op.execute(counters.insert().from_select(["counter", "value"], last))
    op.execute(counters.insert().values(counter="erasures", value=0))
    op.create_table(
        "admissions",
        sa.Column(
            "admission_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="As in forgotten; records that have it are taken in again",
        ),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("admission_id", name=op.f("pk_admissions")),
    )
