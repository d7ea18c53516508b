"""The store's tables, a module for each part that owns rows, from audience to runs."""

from line_core.store.tables import audience, identity, inbox, ledger, limits, rejects, runs
from line_core.store.tables.base import UtcDateTime, metadata

__all__ = ["UtcDateTime", "audience", "identity", "inbox", "ledger", "limits", "metadata", "rejects", "runs"]
