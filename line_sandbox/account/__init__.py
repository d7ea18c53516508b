"""The LINE Official Account: its info and webhook settings."""
