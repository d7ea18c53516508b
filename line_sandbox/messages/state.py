"""The state of sending: retry keys, reply tokens and deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.messages.chat_lookup import ChatLookup
from line_sandbox.messages.delivery_log import DeliveryLog
from line_sandbox.messages.delivery_recorder import DeliveryRecorder
from line_sandbox.messages.reply_tokens import ReplyTokens
from line_sandbox.messages.retry_keys import RetryKeys
from line_sandbox.messages.sender import MessageSender
from line_sandbox.messages.sent_messages import SentMessages

if TYPE_CHECKING:
    from line_sandbox.chats.state import Chats
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.insight.message_statistics import MessageStatistics
    from line_sandbox.usage.state import Usage
    from line_sandbox.users.state import Users


class Messaging:
    """Creates and connects the objects that send messages."""

    def __init__(  # noqa: PLR0913 - the states that deliveries change, all by keyword
        self,
        *,
        users: Users,
        chats: Chats,
        usage: Usage,
        statistics: MessageStatistics,
        request_ids: SeededRandom,
        clock: Clock,
        multicast_rejects_unknown_ids: bool,
    ) -> None:
        lookup = ChatLookup(users, chats, clock, rejects_unknown_ids=multicast_rejects_unknown_ids)
        self.sent_messages = SentMessages(request_ids)
        self.retry_keys = RetryKeys(request_ids, self.sent_messages, clock)
        self.reply_tokens = ReplyTokens(clock)
        self.delivery_log = DeliveryLog()
        self.deliveries = DeliveryRecorder(
            log=self.delivery_log, usage=usage, statistics=statistics, chats=lookup, request_ids=request_ids
        )
        self.sender = MessageSender(
            retry_keys=self.retry_keys,
            reply_tokens=self.reply_tokens,
            chats=lookup,
            quota=usage.quota,
            deliveries=self.deliveries,
            clock=clock,
        )
