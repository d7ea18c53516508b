"""Streams about the account: bots, webhook endpoint, message quota."""
