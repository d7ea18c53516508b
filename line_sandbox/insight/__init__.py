"""Statistics of followers and of sent messages."""
