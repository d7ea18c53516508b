"""The merge policy of the last run of target-line. Every reader of the identity store uses it."""

from __future__ import annotations

import math
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

_BOUNDS = "max_people_per_email", "max_people_per_line_id", "max_identifiers_per_id"


def load_policy(store: Store) -> MergePolicy:
    """Return the policy of target-line's last run, or the default if there was no run."""
    with store.read() as connection:
        saved = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    return MergePolicy() if saved is None else msgspec.convert(saved, MergePolicy)


def has_lower_bounds(store: Store, policy: MergePolicy) -> bool:
    """Return whether a bound for shared identifiers is lower than the one that the stored evidence was checked with."""
    with store.read() as connection:
        saved = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    new = msgspec.to_builtins(asdict(policy))
    # Older versions had no bound for ids and LINE IDs.
    return saved is not None and any(new[name] < saved.get(name, math.inf) for name in _BOUNDS)


def save_policy(store: Store, policy: MergePolicy) -> bool:
    """Save the policy of a run.

    Returns:
        Whether the previous run had a different policy.
    """
    with store.read() as connection:
        saved = connection.execute(select(policies.c.policy)).scalar_one_or_none()
    new_document = msgspec.to_builtins(asdict(policy))
    if saved == new_document:
        return False
    with store.write(lock="identity") as connection:
        statement = insert_on_conflict(connection, policies).values(
            policy_id=1, policy=new_document, saved_at=datetime.now(UTC)
        )
        new = {"policy": statement.excluded.policy, "saved_at": statement.excluded.saved_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["policy_id"], set_=new))
    return saved is not None and msgspec.convert(saved, MergePolicy) != policy
