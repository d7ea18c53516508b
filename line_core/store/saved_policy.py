"""The merge policy of the last run of target-line. Every reader of the identity store uses it."""

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
    """Return the policy of target-line's last run, or the default if there was no run."""
    with store.read() as connection:
        saved = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    return MergePolicy() if saved is None else msgspec.convert(saved, MergePolicy)


def save_policy(store: Store, policy: MergePolicy) -> bool:
    """Save the policy of a run.

    Returns:
        Whether the previous run had a different policy.
    """
    with store.read() as connection:
        saved = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    if saved is not None and msgspec.convert(saved, MergePolicy) == policy:
        return False
    with store.write(lock="identity") as connection:
        statement = insert_on_conflict(connection, policies).values(
            policy_id=1, policy=msgspec.to_builtins(asdict(policy)), saved_at=datetime.now(UTC)
        )
        new = {"policy": statement.excluded.policy, "saved_at": statement.excluded.saved_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["policy_id"], set_=new))
    return saved is not None
