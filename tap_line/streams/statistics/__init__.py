"""Streams of statistics."""
