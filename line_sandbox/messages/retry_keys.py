"""Retry keys: in the 24 hours after the first request with a key, LINE accepts only one request with it.

The 24 hours begin with the first request, even if LINE rejects it or a fault prevents its processing. A key belongs to
the channel, regardless of the endpoint. LINE does not compare the bodies of the requests.

Source: LINE documentation, "Retry failed API requests": "A retry key is valid for 24 hours after the first request."
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

_NONE_ACCEPTED = 0


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
            AlreadyAccepted: A request with the same key was accepted, and the key is not older than 24 hours.
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

    def begin(self, key: UUID) -> None:
        """Begin the 24 hours of a key whose request is not accepted, unless they have begun."""
        self._index.begin(key, self._clock.now())

    def record(self, request: SendRequest) -> None:
        """Store the retry key, if any, of a request that was accepted."""
        if request.retry_key is not None:
            types = request.message_types if request.method is DeliveryMethod.PUSH else None
            self._index.add(request.retry_key, _AcceptedRequest(request.number, types), self._clock.now())


class _KeyIndex:
    """Maps retry keys to requests, in arrays that stay compact with millions of keys."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        """The row of each key, in the order of the first requests."""
        self._first_at = array("d")
        self._request_numbers = array("Q")
        """Number of the accepted request; `_NONE_ACCEPTED` if there is none."""
        self._type_ids = array("L")
        self._known_types: dict[tuple[str, ...] | None, int] = {None: 0}

    def find(self, key: UUID, now: float) -> _AcceptedRequest | None:
        """Return the accepted request with a key; None if there is none or the key has expired."""
        row = self._rows.get(key.int)
        if row is None or now >= self._first_at[row] + LIFETIME_SECONDS:
            return None
        number = self._request_numbers[row]
        if number == _NONE_ACCEPTED:
            return None
        return _AcceptedRequest(number, list(self._known_types)[self._type_ids[row]])

    def begin(self, key: UUID, now: float) -> int:
        """Return the row of a key, after adding it if it is new or has expired; `now` is in seconds since 1970."""
        self._delete_expired(now)
        row = self._rows.get(key.int)
        if row is None:
            row = self._rows[key.int] = len(self._first_at)
            self._first_at.append(now)
            self._request_numbers.append(_NONE_ACCEPTED)
            self._type_ids.append(0)
        return row

    def add(self, key: UUID, request: _AcceptedRequest, now: float) -> None:
        """Store the request with a key that was accepted `now`, in seconds since 1970."""
        row = self.begin(key, now)
        self._request_numbers[row] = request.number
        self._type_ids[row] = self._known_types.setdefault(request.message_types, len(self._known_types))

    def _delete_expired(self, now: float) -> None:
        while self._rows:
            oldest = next(iter(self._rows))
            if now < self._first_at[self._rows[oldest]] + LIFETIME_SECONDS:
                return
            del self._rows[oldest]
