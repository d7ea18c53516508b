"""Description of an unexpected error, without values of the record that caused it."""

from __future__ import annotations

import traceback


def place_of(error: Exception) -> str:
    """Return the type and the place of an error. Its text is left out, since it can contain values of the record."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.name}:{frame.lineno}"
