"""Singer target for LINE: merges identities and sends messages."""
