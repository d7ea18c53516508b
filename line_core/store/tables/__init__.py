"""The store's tables, a module for each part that owns rows: inbox, identity, ledger, rejects, audience."""

from line_core.store.tables import audience, identity, inbox, ledger, rejects
from line_core.store.tables.base import UtcDateTime, metadata

__all__ = ["UtcDateTime", "audience", "identity", "inbox", "ledger", "metadata", "rejects"]
