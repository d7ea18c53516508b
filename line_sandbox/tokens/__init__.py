"""Channel access tokens."""
