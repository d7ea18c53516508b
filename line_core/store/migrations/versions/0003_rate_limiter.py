"""Rate limits: one timestamp and a log of permits, in place of a schedule of time slots.

The old state is dropped: it covers an hour at most. Processes of the previous version fail on the new table and stop.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_table("rate_limits")
    op.create_table(
        "rate_limits",
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.String(length=128), nullable=False, comment="Method and path template"),
        sa.Column(
            "next_at",
            sa.Double(),
            nullable=False,
            comment="Time of the next permit; limits per second",
        ),
        sa.Column(
            "granted",
            sa.JSON(none_as_null=True),
            nullable=False,
            comment="Times of the last permits (limits per minute or hour)",
        ),
        sa.Column(
            "paused_until",
            sa.Double(),
            nullable=False,
            comment="No permit before this time",
        ),
        sa.Column(
            "requesters",
            sa.JSON(none_as_null=True),
            nullable=False,
            comment="When each process last requested permits",
        ),
        sa.PrimaryKeyConstraint("channel", "endpoint", name=op.f("pk_rate_limits")),
    )
