"""Tasks that run beside the requests: relays to other bots and retention of the inbox."""
