"""Statistics of messages and followers."""
