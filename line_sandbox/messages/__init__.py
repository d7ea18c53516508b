"""Sending messages: requests, retry keys, reply tokens, deliveries."""
