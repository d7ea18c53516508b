"""Conversion of stored webhook events to records of the streams `events` and `follows`."""
