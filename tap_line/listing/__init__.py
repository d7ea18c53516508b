"""Paged listings of LINE IDs, and the position at which an interrupted listing continues."""
