"""Number of requests for a message that LINE did not accept: the retry key of its next push derives from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "messages",
        sa.Column(
            "refused_requests",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Requests for the message that LINE did not accept; its next retry key derives from the number",
        ),
    )
