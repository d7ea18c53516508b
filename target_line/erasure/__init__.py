"""Erasure of a person on request, from all parts of the store."""
