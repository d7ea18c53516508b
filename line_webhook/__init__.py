"""The webhook receiver, `tap-line-webhook`: LINE's events into the store, each once, before the answer."""
