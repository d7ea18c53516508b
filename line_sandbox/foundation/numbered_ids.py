"""Converts numbers to ids in LINE's format and back, without storing them: ten million ids use no memory.

An id is 16 bytes in hexadecimal: a keyed tag of the number (8 bytes), then the number XOR a keyed mask of the tag
(8 bytes). Without the key, an id looks random and cannot be forged.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_HEX = re.compile(r"[0-9a-f]{32}\Z")
_HALF = 8
_DIGITS = 16


class NumberedIds:
    """The ids of one kind of object, such as users."""

    def __init__(self, seed: int, prefix: str) -> None:
        """Derive the keys.

        Args:
            seed: A different seed gives different ids.
            prefix: LINE's letter for the kind: `U`, `C` or `R`.
        """
        self._prefix = prefix
        self._tag_key = blake2b(f"{seed}:{prefix}:tag".encode(), digest_size=32).digest()
        self._mask_key = blake2b(f"{seed}:{prefix}:mask".encode(), digest_size=32).digest()

    def id_of(self, number: int) -> str:
        """Return the id for a number, 0 or more."""
        tag = self._tag(number)
        return f"{self._prefix}{tag.hex()}{number ^ self._mask(tag):016x}"

    def number_of(self, text: str) -> int | None:
        """Return the number of an id; None if this object did not issue the text."""
        digits = text.removeprefix(self._prefix)
        if len(digits) != len(text) - len(self._prefix) or not _HEX.match(digits):
            return None
        tag = bytes.fromhex(digits[:_DIGITS])
        number = int(digits[_DIGITS:], 16) ^ self._mask(tag)
        return number if self._tag(number) == tag else None

    def _tag(self, number: int) -> bytes:
        return blake2b(number.to_bytes(_HALF, "big"), key=self._tag_key, digest_size=_HALF).digest()

    def _mask(self, tag: bytes) -> int:
        return int.from_bytes(blake2b(tag, key=self._mask_key, digest_size=_HALF).digest(), "big")


class ModuleUserIds:
    """The user IDs of a module channel: 68 characters, different for each account.

    Source: LINE documentation, "User ID used in a module channel". LINE does not document what the two parts mean.
    """

    def __init__(self, ids: NumberedIds, account_id: str) -> None:
        """Store the ids of users in ordinary channels, and the user id of the account."""
        self._ids = ids
        self._account_id = account_id

    def id_of(self, number: int) -> str:
        """Return the id for a number, 0 or more."""
        return f"L{self._ids.id_of(number)}-{self._account_id}"

    def number_of(self, text: str) -> int | None:
        """Return the number of an id; None if this object did not issue the text."""
        user_id, _, account_id = text.removeprefix("L").partition("-")
        return self._ids.number_of(user_id) if text.startswith("L") and account_id == self._account_id else None
