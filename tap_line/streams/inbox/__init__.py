"""Streams that read webhook events from the inbox."""
