"""Shared by all subjects: clock, seeded random numbers, ids, page tokens, API errors. Imports no other part."""
