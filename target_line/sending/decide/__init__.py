"""Decide for each due message whether, when, where and with which content it is sent."""
