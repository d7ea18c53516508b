"""Channel access tokens of every type, and JWT assertions."""
