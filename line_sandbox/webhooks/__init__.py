"""Webhooks: settings and endpoints, an event generator, and a sender that signs, batches, duplicates and redelivers."""
