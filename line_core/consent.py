"""What the value of an opt-out attribute says."""

from __future__ import annotations

_NO = frozenset({"false", "f", "no", "n", "0", "off"})


def consent_of(value: object) -> bool | None:
    """Return True if the value says that the person wants no messages, False if it says the opposite.

    null, a blank text, and an empty list or object say nothing: None. `false`, 0, and the texts false, f, no, n, 0 and
    off say no. Every other value says yes.
    """
    if isinstance(value, str):
        text = value.strip().casefold()
        return text not in _NO if text else None
    if isinstance(value, bool | int | float):
        return bool(value)
    return True if value else None
