"""The inbox: webhook events, the positions of their readers, retention, erasure, and the relay queue."""

from line_core.store.inbox.events import InboxEvent, WriteResult, last_position, read_events, write_events

__all__ = ["InboxEvent", "WriteResult", "last_position", "read_events", "write_events"]
