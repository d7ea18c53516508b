"""Retry keys: within 24 hours, LINE accepts only one request with the same key.

A key belongs to the channel, regardless of the endpoint. LINE does not compare the bodies of the requests.

Source: LINE documentation, "Retry failed API requests".
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from line_sandbox.foundation.api_errors import AlreadyAccepted
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from uuid import UUID

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.messages.sent_messages import SentMessages

LIFETIME_SECONDS = 24 * 3600


class _AcceptedRequest(NamedTuple):
    number: int
    message_types: tuple[str, ...] | None
    """The types of a push's messages, needed to repeat its response; None for other endpoints."""


class RetryKeys:
    """Rejects requests whose retry key was already used."""

    def __init__(self, request_ids: SeededRandom, sent_messages: SentMessages, clock: Clock) -> None:
        self._request_ids = request_ids
        self._sent_messages = sent_messages
        self._clock = clock
        self._index = _KeyIndex()

    def check(self, request: SendRequest) -> None:
        """Check that a request's retry key, if it has one, is unused.

        Raises:
            AlreadyAccepted: A request with the same key was accepted in the last 24 hours.
        """
        if request.retry_key is None:
            return
        accepted = self._index.find(request.retry_key, self._clock.now())
        if accepted is None:
            return
        sent = None
        if accepted.message_types is not None:
            sent = self._sent_messages.describe(accepted.number, accepted.message_types)
        raise AlreadyAccepted(self._request_ids.uuid(accepted.number), sent)

    def record(self, request: SendRequest) -> None:
        """Store the retry key, if any, of a request that was accepted."""
        if request.retry_key is not None:
            types = request.message_types if request.method is DeliveryMethod.PUSH else None
            self._index.add(request.retry_key, _AcceptedRequest(request.number, types), self._clock.now())


class _KeyIndex:
    """Maps retry keys to requests, in arrays that stay compact with millions of keys."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._accepted_at = array("d")
        self._request_numbers = array("Q")
        self._type_ids = array("L")
        self._known_types: dict[tuple[str, ...] | None, int] = {}

    def find(self, key: UUID, now: float) -> _AcceptedRequest | None:
        """Return the request with a key; None if there is none or the key has expired."""
        row = self._rows.get(key.int)
        if row is None or now >= self._accepted_at[row] + LIFETIME_SECONDS:
            return None
        return _AcceptedRequest(self._request_numbers[row], list(self._known_types)[self._type_ids[row]])

    def add(self, key: UUID, request: _AcceptedRequest, now: float) -> None:
        """Store a key that was accepted `now`, in seconds since 1970, and delete expired keys."""
        self._delete_expired(now)
        self._rows.pop(key.int, None)  # Keeps the dict ordered by time.
        self._rows[key.int] = len(self._accepted_at)
        self._accepted_at.append(now)
        self._request_numbers.append(request.number)
        self._type_ids.append(self._known_types.setdefault(request.message_types, len(self._known_types)))

    def _delete_expired(self, now: float) -> None:
        while self._rows:
            oldest = next(iter(self._rows))
            if now < self._accepted_at[self._rows[oldest]] + LIFETIME_SECONDS:
                return
            del self._rows[oldest]
