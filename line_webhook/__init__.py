"""The webhook receiver `tap-line-webhook`: stores LINE's webhook events in the inbox, each once, then responds 200."""
