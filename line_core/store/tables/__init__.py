"""The store's tables, a module for each part that owns rows: inbox, identity, ledger, rejects, runs, audience."""

from line_core.store.tables import audience, identity, inbox, ledger, rejects, runs
from line_core.store.tables.base import UtcDateTime, metadata

__all__ = ["UtcDateTime", "audience", "identity", "inbox", "ledger", "metadata", "rejects", "runs"]
