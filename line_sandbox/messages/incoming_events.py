"""Records the effects of webhook events on later requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from line_sandbox.chats.state import Chats
    from line_sandbox.contents.state import Contents
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.messages.reply_tokens import ReplyTokens
    from line_sandbox.users.state import Users


class IncomingEvents:
    """Stores reply tokens, message contents, unsent messages, and which users sent a message."""

    def __init__(
        self, *, users: Users, chats: Chats, contents: Contents, reply_tokens: ReplyTokens, clock: Clock
    ) -> None:
        self._users = users
        self._chats = chats
        self._contents = contents
        self._reply_tokens = reply_tokens
        self._clock = clock

    def record(self, event: dict[str, Any]) -> None:
        """Record an event that is sent to the receiver. Users of the sandbox may send events of any structure."""
        source = event.get("source")
        chat = self._chat(source) if isinstance(source, dict) else None
        if chat is not None and isinstance(token := event.get("replyToken"), str):
            self._reply_tokens.issue(token, chat)
        message, unsend = event.get("message"), event.get("unsend")
        if isinstance(message, dict) and isinstance(message_id := message.get("id"), str):
            self._contents.record_message(message_id, str(message.get("type")))
            if chat is not None and chat >= 0:
                self._users.record_message(chat, self._clock.now())
        if isinstance(unsend, dict) and isinstance(message_id := unsend.get("messageId"), str):
            self._contents.unsend(message_id)

    def _chat(self, source: dict[str, Any]) -> int | None:
        for name in ("groupId", "roomId"):
            if isinstance(chat_id := source.get(name), str):
                return self._chats.number_of(chat_id)
        line_id = source.get("userId")
        return self._users.number_of(line_id) if isinstance(line_id, str) else None
