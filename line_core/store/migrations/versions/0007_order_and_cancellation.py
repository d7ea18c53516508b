"""The order of sending, cancelled campaigns, and runs that have not ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cancelled_campaigns",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("campaign", sa.String(length=30), nullable=False),
        sa.Column(
            "cancelled_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Deleted once the scheduled messages are withdrawn",
        ),
        sa.PrimaryKeyConstraint("channel", "campaign", name=op.f("pk_cancelled_campaigns")),
    )
    op.add_column(
        "messages",
        sa.Column(
            "send_order",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Smaller numbers are sent first: the negated priority; transactional messages have the smallest",
        ),
    )
    op.add_column(
        "messages",
        sa.Column(
            "due_minute",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Of equal send_order, the oldest is first: minutes from 1970 to send_at, else to the run's start",
        ),
    )
    op.drop_index("ix_messages_scheduled", table_name="messages")
    scheduled = sa.text("status = 'scheduled'")
    op.create_index(
        "ix_messages_scheduled",
        "messages",
        ["channel", "send_order", "due_minute", "content_key", "message_id"],
        unique=False,
        sqlite_where=scheduled,
        postgresql_where=scheduled,
    )
    with op.batch_alter_table("runs") as runs:
        runs.alter_column(
            "finished_at",
            existing_type=sa.DateTime(timezone=True),
            nullable=True,
            comment="Null while the run has not ended, and for ever if its process was killed",
        )
