"""Liquid templates in message content: values, limits, escaping, dates."""
