"""Numbers that look random and are a function of the seed: the same for every run, and computed, never stored."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Chance:
    """Draws that depend on the seed, a purpose and a number alone."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._key = blake2b(f"{seed}:{purpose}".encode(), digest_size=32).digest()

    def bits(self, number: int, size: int = 8) -> int:
        """An integer of `size` bytes."""
        digest = blake2b(number.to_bytes(16, "big"), key=self._key, digest_size=size).digest()
        return int.from_bytes(digest, "big")

    def share(self, number: int) -> float:
        """A number from 0 up to 1."""
        return self.bits(number) / 2**64

    def choice(self, number: int, options: Sequence[T]) -> T:
        """One of some options."""
        return options[self.bits(number) % len(options)]

    def uuid(self, number: int) -> str:
        """A UUID, as LINE's request ids are written."""
        return str(UUID(int=self.bits(number, 16)))
