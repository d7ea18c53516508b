"""Retry keys: a request that was accepted under a key is not accepted again for 24 hours.

A key is the channel's, whatever the endpoint; the bodies of later requests under it are not compared.

Source: LINE documentation, "Retry failed API requests".
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

LIFE_SECONDS = 24 * 3600


class Acceptance(NamedTuple):
    """The request that a key is bound to."""

    at: float
    """Seconds since 1970."""
    request_number: int
    message_types: tuple[str, ...] | None
    """The types of a push's messages, from which its answer is made again; None for other endpoints."""


class RetryKeys:
    """The keys of accepted requests, compact enough for millions."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._at = array("d")
        self._request_numbers = array("Q")
        self._types = array("L")
        self._known_types: dict[tuple[str, ...] | None, int] = {}

    def find(self, key: UUID, now: float) -> Acceptance | None:
        """The request that was accepted under a key; None if there is none, or its time is over."""
        place = self._places.get(key.int)
        if place is None or now >= self._at[place] + LIFE_SECONDS:
            return None
        types = list(self._known_types)[self._types[place]]
        return Acceptance(self._at[place], self._request_numbers[place], types)

    def bind(self, key: UUID, acceptance: Acceptance) -> None:
        """Bind a key to the request that was accepted under it."""
        self._forget_ended(acceptance.at)
        self._places.pop(key.int, None)  # so that the oldest stay first
        self._places[key.int] = len(self._at)
        self._at.append(acceptance.at)
        self._request_numbers.append(acceptance.request_number)
        self._types.append(self._known_types.setdefault(acceptance.message_types, len(self._known_types)))

    def _forget_ended(self, now: float) -> None:
        while self._places:
            oldest = next(iter(self._places))
            if now < self._at[self._places[oldest]] + LIFE_SECONDS:
                return
            del self._places[oldest]
