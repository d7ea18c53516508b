"""Random-looking numbers that are computed from the seed and never stored. Every run gets the same numbers."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID


class SeededRandom:
    """Computes random values; each depends only on the seed, a purpose and a number."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._key = blake2b(f"{seed}:{purpose}".encode(), digest_size=32).digest()

    def integer(self, number: int, size: int = 8) -> int:
        """Return an unsigned integer of `size` bytes."""
        digest = blake2b(number.to_bytes(16, "big"), key=self._key, digest_size=size).digest()
        return int.from_bytes(digest, "big")

    def fraction(self, number: int) -> float:
        """Return a float from 0 (included) to 1 (excluded)."""
        return self.integer(number) / 2**64

    def uuid(self, number: int) -> str:
        """Return a UUID in the format of LINE's request ids."""
        return str(UUID(int=self.integer(number, 16)))
