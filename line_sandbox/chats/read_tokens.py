"""Tokens in message events that mark the message as read. They are signed, so that none is stored; none expires.

Source: LINE Messaging API reference, "Mark messages as read".
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

_VALUE_LENGTH = 24
_TOKEN_LENGTH = 64


class ReadTokens:
    """The tokens of one bot: 24 hexadecimal digits of a value, then 40 digits of its signature."""

    def __init__(self, seed: int) -> None:
        self._key = blake2b(f"{seed}:read tokens".encode(), digest_size=32).digest()

    def issue(self, value: int) -> str:
        """Return the token of a random 96-bit value."""
        digits = f"{value:024x}"
        return digits + self._signature(digits)

    def is_valid(self, token: str) -> bool:
        """Return whether this bot issued a token."""
        return len(token) == _TOKEN_LENGTH and hmac.compare_digest(
            token[_VALUE_LENGTH:].encode(), self._signature(token[:_VALUE_LENGTH]).encode()
        )

    def _signature(self, digits: str) -> str:
        size = (_TOKEN_LENGTH - _VALUE_LENGTH) // 2
        return blake2b(digits.encode(), key=self._key, digest_size=size).hexdigest()
