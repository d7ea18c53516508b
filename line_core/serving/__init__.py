"""Shared by the two HTTP servers: the webhook receiver and the sandbox."""
