"""Fixtures, program runners and generators that the tests of all packages share."""
