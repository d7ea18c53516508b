"""Streams that read target-line's tables in the store."""
