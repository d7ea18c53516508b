"""Tables of the store, one module per part of the store."""

from line_core.store.tables import audience, identity, inbox, ledger, limits, rejects, runs
from line_core.store.tables.base import UtcDateTime, metadata

__all__ = ["UtcDateTime", "audience", "identity", "inbox", "ledger", "limits", "metadata", "rejects", "runs"]
