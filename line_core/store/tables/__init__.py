"""The store's tables, a module for each part that owns rows: inbox, identity, ledger, rejects."""

from line_core.store.tables import identity, inbox, ledger, rejects
from line_core.store.tables.base import UtcDateTime, metadata

__all__ = ["UtcDateTime", "identity", "inbox", "ledger", "metadata", "rejects"]
