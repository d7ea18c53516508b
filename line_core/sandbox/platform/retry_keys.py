"""Retry keys: a request that was accepted under a key is not accepted again for 24 hours.

Source: LINE Messaging API, "Retry failed API requests".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.sandbox.platform.refusals import AlreadyAccepted

if TYPE_CHECKING:
    from uuid import UUID

LIFE_SECONDS = 24 * 3600


class RetryKeys:
    """The keys of accepted requests, each with the place of its request in the delivery log."""

    def __init__(self) -> None:
        self._accepted: dict[int, tuple[float, int]] = {}

    def check(self, key: UUID | None, now: float) -> None:
        """Let a request pass whose key is new or has ended.

        Raises:
            AlreadyAccepted: A request was accepted under this key.
        """
        if key is None:
            return
        used = self._accepted.get(key.int)
        if used is not None and now < used[0] + LIFE_SECONDS:
            raise AlreadyAccepted(used[1])

    def accept(self, key: UUID | None, now: float, number: int) -> None:
        """Bind a key to its accepted request."""
        if key is not None:
            self._forget_ended(now)
            self._accepted.pop(key.int, None)
            self._accepted[key.int] = (now, number)

    def _forget_ended(self, now: float) -> None:
        while self._accepted:
            oldest = next(iter(self._accepted))
            if now < self._accepted[oldest][0] + LIFE_SECONDS:
                return
            del self._accepted[oldest]
