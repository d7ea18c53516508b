"""Part of tap-line."""
