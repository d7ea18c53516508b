"""Retry keys: a request that was accepted under a key is not accepted again for 24 hours.

A key is the channel's, whatever the endpoint; the bodies of later requests under it are not compared.

Source: LINE documentation, "Retry failed API requests".
"""

from __future__ import annotations

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
    """The keys of accepted requests."""

    def __init__(self) -> None:
        self._accepted: dict[int, Acceptance] = {}

    def find(self, key: UUID, now: float) -> Acceptance | None:
        """The request that was accepted under a key; None if there is none, or its time is over."""
        accepted = self._accepted.get(key.int)
        return accepted if accepted and now < accepted.at + LIFE_SECONDS else None

    def bind(self, key: UUID, acceptance: Acceptance) -> None:
        """Bind a key to the request that was accepted under it."""
        while self._accepted:
            oldest = next(iter(self._accepted))
            if acceptance.at < self._accepted[oldest].at + LIFE_SECONDS:
                break
            del self._accepted[oldest]
        self._accepted[key.int] = acceptance
