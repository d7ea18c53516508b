"""Webhooks as LINE sends them: histories to tell, and a sender that signs, batches, repeats and mixes them."""
