"""Kind of the recipients of a request, as a column of its own instead of a prefix of the body.

Existing requests get their kind from method and body once. The column is nullable: a process of the previous version
that still runs during the upgrade inserts requests without it. Null means unknown.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "requests",
        sa.Column(
            "recipient_kind",
            sa.String(length=16),
            nullable=True,
            comment="user, group, room, followers (broadcast) or selection (narrowcast); null if unknown",
        ),
    )
    requests = sa.table("requests", sa.column("method"), sa.column("body"), sa.column("recipient_kind"))
    kind = sa.case(
        (requests.c.method == "broadcast", "followers"),
        (requests.c.method == "narrowcast", "selection"),
        (requests.c.method == "multicast", "user"),
        (requests.c.body.startswith('{"to":"U'), "user"),
        (requests.c.body.startswith('{"to":"C'), "group"),
        (requests.c.body.startswith('{"to":"R'), "room"),
    )
    op.execute(requests.update().values(recipient_kind=kind))
