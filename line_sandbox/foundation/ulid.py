"""ULIDs, the format of LINE's webhookEventIds: 26 characters that sort by time.

Source: LINE Messaging API reference, "Common properties in webhook event objects"; https://github.com/ulid/spec.
"""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_RANDOM_BITS = 80


def ulid(milliseconds: int, randomness: int) -> str:
    """Return the ULID for a time in milliseconds since 1970 and the lowest 80 bits of `randomness`."""
    value = milliseconds << _RANDOM_BITS | randomness & (1 << _RANDOM_BITS) - 1
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))
