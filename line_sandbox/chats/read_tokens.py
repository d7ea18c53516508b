"""Tokens that incoming messages carry, to mark them as read with; nothing is stored, and they never end.

Source: LINE Messaging API reference, "Mark messages as read".
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

_STEM = 24
_LENGTH = 64


class ReadTokens:
    """The tokens of one bot."""

    def __init__(self, seed: int) -> None:
        self._key = blake2b(f"{seed}:read tokens".encode(), digest_size=32).digest()

    def issue(self, draw: int) -> str:
        """The token of a draw of 96 bits."""
        stem = f"{draw:024x}"
        return stem + self._proof(stem)

    def knows(self, token: str) -> bool:
        """Whether a token is the bot's."""
        return len(token) == _LENGTH and hmac.compare_digest(
            token[_STEM:].encode(), self._proof(token[:_STEM]).encode()
        )

    def _proof(self, stem: str) -> str:
        return blake2b(stem.encode(), key=self._key, digest_size=(_LENGTH - _STEM) // 2).hexdigest()
