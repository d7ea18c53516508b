"""From a message record to a request to LINE, and the ledger in between."""
