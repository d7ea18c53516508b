"""Sending: who gets what, under which retry key, at what cost.

Source: LINE Messaging API reference, "Send push message", "Send multicast message", "Retry failed API requests".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from line_core.sandbox.platform.refusals import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from line_core.sandbox.platform.clock import Clock
    from line_core.sandbox.platform.deliveries import DeliveryLog
    from line_core.sandbox.platform.quota import Quota
    from line_core.sandbox.platform.retry_keys import RetryKeys
    from line_core.sandbox.platform.units import Units
    from line_core.sandbox.platform.users import Users

_FIRST_MESSAGE_ID = 461230966842064897
_MAX_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class Order:
    """One request to send."""

    endpoint: str
    request_number: int
    retry_key: UUID | None
    content: bytes
    """JSON object: the request's body without its recipients and units."""
    units: Sequence[str] = field(default=())


def message_id(number: int, place: int) -> str:
    """The id of a sent message.

    Args:
        number: Its request's place in the delivery log.
        place: Its place in the request.
    """
    return str(_FIRST_MESSAGE_ID + number * _MAX_MESSAGES + place)


class Sending:
    """Accepts requests to send, each whole or not at all."""

    def __init__(  # noqa: PLR0913 - everything that a message touches
        self, *, users: Users, log: DeliveryLog, keys: RetryKeys, quota: Quota, units: Units, clock: Clock
    ) -> None:
        self._users = users
        self._log = log
        self._keys = keys
        self._quota = quota
        self._units = units
        self._clock = clock

    def push(self, order: Order, to: str) -> int:
        """Send to one person; returns the request's place in the delivery log.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            InvalidRequest: The channel cannot know the recipient.
            TooManyRequests: The month's messages are used up.
        """
        self._keys.check(order.retry_key, self._clock.now())
        number = self._users.number_of(to)
        if number is None:
            raise InvalidRequest("Failed to send messages")
        return self._accept(order, [number] if self._users.is_following(number) else [])

    def multicast(self, order: Order, to: Sequence[str]) -> int:
        """Send to some people; those whom messages do not reach are passed over in silence.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            TooManyRequests: The month has no room for all of them.
        """
        self._keys.check(order.retry_key, self._clock.now())
        numbers = dict.fromkeys(self._users.number_of(line_id) for line_id in to)
        return self._accept(
            order, [number for number in numbers if number is not None and self._users.is_following(number)]
        )

    def _accept(self, order: Order, chats: Sequence[int]) -> int:
        self._quota.check(len(chats))
        now = self._clock.now()
        number = self._log.accept(
            endpoint=order.endpoint,
            request_number=order.request_number,
            retry_key=order.retry_key,
            content=order.content,
            at=now,
            chats=chats,
        )
        self._keys.accept(order.retry_key, now, number)
        self._quota.use(len(chats))
        return number
