"""A local LINE platform, for demos, tests and rehearsals without an account."""
