"""A local simulation of the LINE platform, for demos and tests without an account."""
