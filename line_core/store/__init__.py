"""The store: one database for inbox, identity, ledger, rejects, rate limits and runs."""

from line_core.store.database import DEFAULT_STORE_URL, Store, open_store, upgrade_store

__all__ = ["DEFAULT_STORE_URL", "Store", "open_store", "upgrade_store"]
