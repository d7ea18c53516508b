"""Requests that were never attempted, messages that are set aside, and the progress of narrowcasts.

The defaults say what is true of existing rows and of rows of a process of the previous version: a claimed request may
have been attempted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "messages",
        sa.Column(
            "set_aside_count",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Runs in which LINE answered 429 for this message and accepted others",
        ),
    )
    op.add_column(
        "messages",
        sa.Column("set_aside_since", sa.DateTime(timezone=True), nullable=True, comment="The first of these runs"),
    )
    op.add_column(
        "requests",
        sa.Column(
            "never_attempted",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="1 from the claim until just before the request may leave: LINE has certainly not got it",
        ),
    )
    op.add_column(
        "requests",
        sa.Column(
            "progress",
            sa.String(length=16),
            nullable=True,
            comment="Last phase of an accepted narrowcast: succeeded or failed; null before",
        ),
    )
    op.create_index(
        "ix_requests_running_narrowcasts",
        "requests",
        ["channel"],
        unique=False,
        sqlite_where=sa.text("method = 'narrowcast' AND progress IS NULL"),
        postgresql_where=sa.text("method = 'narrowcast' AND progress IS NULL"),
    )
