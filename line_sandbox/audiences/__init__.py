"""Audiences and their members."""
