"""Sends messages: each request is accepted as a whole or rejected as a whole.

Source: LINE Messaging API reference, "Send push message", "Send multicast message", "Send broadcast message", "Send
reply message", "Retrying an API request".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.messages.chat_lookup import ChatLookup
    from line_sandbox.messages.delivery_recorder import DeliveryRecorder
    from line_sandbox.messages.reply_tokens import ReplyTokens
    from line_sandbox.messages.retry_keys import RetryKeys
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.usage.monthly_quota import MonthlyQuota


class MessageSender:
    """Checks and delivers pushes, multicasts, broadcasts and replies. Each method returns the chats reached."""

    def __init__(  # noqa: PLR0913 - the checks of a request in order, all by keyword
        self,
        *,
        retry_keys: RetryKeys,
        reply_tokens: ReplyTokens,
        chats: ChatLookup,
        quota: MonthlyQuota,
        deliveries: DeliveryRecorder,
        clock: Clock,
    ) -> None:
        self._retry_keys = retry_keys
        self._reply_tokens = reply_tokens
        self._chats = chats
        self._quota = quota
        self._deliveries = deliveries
        self._clock = clock

    def push(self, request: SendRequest, to: str) -> Sequence[int]:
        """Send to one user, group or room.

        Raises:
            AlreadyAccepted: A request with the same retry key was accepted.
            InvalidRequest: The channel does not know the recipient, or a message does not suit it.
            TooManyRequests: The monthly quota is used up.
        """
        self._retry_keys.check(request)
        chat = self._chats.find(to)
        self._chats.check_messages(chat, request.messages)
        return self._deliver(request, self._chats.reached(chat))

    def multicast(self, request: SendRequest, to: Sequence[str]) -> Sequence[int]:
        """Send to several users. LINE ignores IDs of users who do not follow the account.

        Raises:
            AlreadyAccepted: A request with the same retry key was accepted.
            InvalidRequest: The channel does not know an ID, and the option to reject unknown IDs is set.
            TooManyRequests: The remaining quota is smaller than the number of followers among the recipients.
        """
        self._retry_keys.check(request)
        return self._deliver(request, self._chats.followers_among(to))

    def broadcast(self, request: SendRequest) -> Sequence[int]:
        """Send to all followers.

        Raises:
            AlreadyAccepted: A request with the same retry key was accepted.
            TooManyRequests: The remaining quota is smaller than the number of followers.
        """
        self._retry_keys.check(request)
        return self._deliver(request, self._chats.all_followers())

    def reply(self, request: SendRequest, token: str) -> Sequence[int]:
        """Reply to a webhook event, free of charge.

        Raises:
            InvalidRequest: The reply token is unknown, used or expired, or a message does not suit the chat.
        """
        chat = self._reply_tokens.check(token)
        self._chats.check_messages(chat, request.messages)
        reached = self._chats.reached(chat)
        self._reply_tokens.use(token)
        self._deliveries.record(request, reached, self._clock.now())
        return reached

    def _deliver(self, request: SendRequest, chats: Sequence[int]) -> Sequence[int]:
        self._quota.check(self._chats.message_count(chats))
        self._retry_keys.record(request)
        self._deliveries.record(request, chats, self._clock.now())
        return chats
