"""The policy of identity in the store: what target-line resolves by, everybody who looks resolves by."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from line_core.identity.policy import MergePolicy
from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.identity import policies

if TYPE_CHECKING:
    from line_core.store import Store


def load_policy(store: Store) -> MergePolicy:
    """The policy of target-line's last run; the default if it never ran."""
    with store.read() as connection:
        held = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    return MergePolicy() if held is None else msgspec.convert(held, MergePolicy)


def save_policy(store: Store, policy: MergePolicy) -> bool:
    """Keep the policy of a run.

    Returns:
        Whether earlier runs had another.
    """
    with store.read() as connection:
        held = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    if held is not None and msgspec.convert(held, MergePolicy) == policy:
        return False
    with store.write(alone="identity") as connection:
        statement = insert_on_conflict(connection, policies).values(
            policy_id=1, policy=msgspec.to_builtins(asdict(policy)), saved_at=datetime.now(UTC)
        )
        new = {"policy": statement.excluded.policy, "saved_at": statement.excluded.saved_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["policy_id"], set_=new))
    return held is not None
