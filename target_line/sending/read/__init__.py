"""Parse `messages` records."""
