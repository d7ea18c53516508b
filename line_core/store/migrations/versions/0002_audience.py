"""What the tap finds out about people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from line_core.store.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "contacts",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=True, comment="When LINE last listed the person as a follower"),
        sa.Column("checked_at", UtcDateTime(), nullable=True, comment="When LINE was last asked for the profile"),
        sa.Column("is_reachable", sa.Boolean(), nullable=True, comment="Whether there was one"),
        sa.Column(
            "checked_for",
            sa.String(length=36),
            nullable=True,
            comment="The pipeline that got the profile; see tap_line.streams.profiles",
        ),
        sa.PrimaryKeyConstraint("channel", "line_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_channel_listed_at"), "contacts", ["channel", "listed_at"], unique=False)
    op.create_table(
        "findings",
        sa.Column(
            "finding_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Order; a reader never skips one",
        ),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=False),
        sa.Column("finding", sa.String(length=16), nullable=False, comment="listed, missing, reachable or unreachable"),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_findings_channel_line_id"), "findings", ["channel", "line_id"], unique=False)
