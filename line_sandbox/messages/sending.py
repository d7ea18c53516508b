"""Sending: who gets what, under which retry key, at what cost.

Source: LINE Messaging API reference, "Send push message", "Send multicast message", "Send broadcast message", "Send
reply message", "Retrying an API request".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import AlreadyAccepted, InvalidRequest
from line_sandbox.foundation.clock import line_date
from line_sandbox.messages.counters import Way
from line_sandbox.messages.retry_keys import Acceptance
from line_sandbox.users.state import UserState
from line_sandbox.users.user_set import Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from line_sandbox.chats.state import Chats
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.insight.statistics import Statistics
    from line_sandbox.messages.counters import DailyCounters
    from line_sandbox.messages.deliveries import DeliveryLog
    from line_sandbox.messages.quota import Quota
    from line_sandbox.messages.reply_tokens import ReplyTokens
    from line_sandbox.messages.retry_keys import RetryKeys
    from line_sandbox.messages.units import Units
    from line_sandbox.users.state import Users

MAX_MESSAGES = 5

_FIRST_MESSAGE_ID = 461230966842064897
_QUOTABLE = frozenset({"text", "textV2", "sticker", "image", "video", "template", "flex"})


@dataclass(frozen=True, slots=True)
class Order:
    """One request to send."""

    endpoint: str
    way: Way
    request_number: int
    retry_key: UUID | None
    messages: Sequence[dict[str, Any]]
    notification_disabled: bool = False
    units: Sequence[str] = ()


class Sending:
    """Accepts requests to send, each whole or not at all."""

    def __init__(  # noqa: PLR0913 - everything that a message touches, all by name
        self,
        *,
        users: Users,
        chats: Chats,
        log: DeliveryLog,
        keys: RetryKeys,
        reply_tokens: ReplyTokens,
        quota: Quota,
        units: Units,
        counters: DailyCounters,
        statistics: Statistics,
        request_ids: SeededRandom,
        clock: Clock,
    ) -> None:
        self._users = users
        self._chats = chats
        self._log = log
        self._keys = keys
        self._reply_tokens = reply_tokens
        self._quota = quota
        self._units = units
        self._counters = counters
        self._statistics = statistics
        self._request_ids = request_ids
        self._clock = clock

    def check_key(self, order: Order) -> None:
        """Let a request pass whose retry key is new.

        Raises:
            AlreadyAccepted: A request was accepted under it in the last 24 hours.
        """
        if order.retry_key is None:
            return
        accepted = self._keys.find(order.retry_key, self._clock.now())
        if accepted is None:
            return
        sent = None if accepted.message_types is None else self.sent(accepted.request_number, accepted.message_types)
        raise AlreadyAccepted(self._request_ids.uuid(accepted.request_number), sent)

    def bind_key(self, order: Order) -> None:
        """Bind a request's retry key to it, now that it is accepted."""
        if order.retry_key is not None:
            types = message_types(order) if order.way is Way.PUSH else None
            self._keys.bind(order.retry_key, Acceptance(self._clock.now(), order.request_number, types))

    def push(self, order: Order, to: str) -> Sequence[int]:
        """Send to one person, group or room; returns the chats that got it.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            InvalidRequest: The channel cannot know the recipient.
            TooManyRequests: The month's messages are used up.
        """
        self.check_key(order)
        number = self._users.number_of(to) if to.startswith("U") else self._chats.number_of(to)
        if number is None:
            raise InvalidRequest("Failed to send messages")
        reached = [number] if number < 0 or self._users.is_reachable(number, self._clock.now()) else []
        self._quota.check(self._cost(reached))
        return self.deliver(order, reached)

    def multicast(self, order: Order, to: Sequence[str]) -> Sequence[int]:
        """Send to some people; those whom messages do not reach are passed over in silence.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            TooManyRequests: The month has no room for all of them.
        """
        self.check_key(order)
        numbers = dict.fromkeys(self._users.number_of(line_id) for line_id in to)
        reached = [number for number in numbers if number is not None and self._users.is_following(number)]
        self._quota.check(len(reached))
        return self.deliver(order, reached)

    def broadcast(self, order: Order) -> Sequence[int]:
        """Send to everybody who follows the account.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            TooManyRequests: The month has no room for all of them.
        """
        self.check_key(order)
        everybody = self._users.crowd(UserState.FOLLOWING)
        self._quota.check(len(everybody))
        return self.deliver(order, everybody)

    def reply(self, order: Order, token: str) -> Sequence[int]:
        """Answer a webhook event; free of charge.

        Raises:
            InvalidRequest: The reply token is none, was used, or has ended.
        """
        chat = self._reply_tokens.check(token)
        reached = [chat] if chat < 0 or self._users.is_reachable(chat, self._clock.now()) else []
        self._reply_tokens.use(token)
        return self.deliver(order, reached)

    def deliver(self, order: Order, chats: Sequence[int], at: float | None = None) -> Sequence[int]:
        """Deliver an accepted request: count it, charge for it, and write it down.

        Args:
            order: The request.
            chats: The chats that it reaches.
            at: When, in seconds since 1970; default now.
        """
        at = self._clock.now() if at is None else at
        units = [unit for unit in order.units if self._units.take(unit)]
        cost = self._cost(chats)
        self._log.accept(
            endpoint=order.endpoint,
            request_number=order.request_number,
            retry_key=order.retry_key,
            messages=order.messages,
            units=units,
            notification_disabled=order.notification_disabled,
            at=at,
            chats=chats,
        )
        if order.way is not Way.NARROWCAST:  # whose key was bound when it was accepted
            self.bind_key(order)
        if order.way is not Way.REPLY:
            self._quota.use(cost)
        self._counters.count(line_date(at), order.way, cost)
        self._statistics.sent(order, units, chats, cost, at)
        return chats

    def sent(self, request_number: int, types: Sequence[str]) -> list[dict[str, str]]:
        """What LINE tells of the messages of a push or reply, the same at every asking."""
        return [self._sent(request_number, place, kind) for place, kind in enumerate(types)]

    def _sent(self, request_number: int, place: int, kind: str) -> dict[str, str]:
        number = request_number * MAX_MESSAGES + place
        told = {"id": str(_FIRST_MESSAGE_ID + number)}
        if kind in _QUOTABLE:
            told["quoteToken"] = f"{self._request_ids.integer(2**64 + number, 32):064x}"
        return told

    def _cost(self, chats: Sequence[int]) -> int:
        """Messages as LINE counts them: one for each person of each chat."""
        if isinstance(chats, Crowd):
            return len(chats)
        return sum(1 if chat >= 0 else len(self._chats.members(chat)) for chat in chats)


def message_types(order: Order) -> tuple[str, ...]:
    """The types of a request's messages."""
    return tuple(message["type"] for message in order.messages)
