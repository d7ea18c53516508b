"""LINE's rate limits, kept by all processes that use one store."""
