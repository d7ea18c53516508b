"""LINE's API: client, tokens, rate limits, errors."""
