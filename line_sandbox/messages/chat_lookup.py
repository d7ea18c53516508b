"""Finds the chats that a request addresses, and decides which of them receive its messages.

A chat number of 0 or more is a user; a negative one is a group or room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.ids import is_line_id
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.messages.recipient_rules import check_for_chat, check_for_users
from line_sandbox.users.state import UserState
from line_sandbox.users.user_set import UserSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.chats.state import Chats
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.users.state import Users


class ChatLookup:
    """Looks up users, groups and rooms."""

    def __init__(self, users: Users, chats: Chats, clock: Clock, *, rejects_unknown_ids: bool) -> None:
        """Store the dependencies.

        Args:
            users: The users that the channel knows.
            chats: The groups and rooms that the account has joined.
            clock: Determines whom messages reach.
            rejects_unknown_ids: Whether an unknown ID among several recipients is an error; if not, it is ignored.
        """
        self._rejects_unknown_ids = rejects_unknown_ids
        self._users = users
        self._chats = chats
        self._clock = clock

    def find(self, line_id: str) -> int:
        """Return the chat number of a user, group or room ID.

        Raises:
            InvalidRequest: The channel does not know the ID.
        """
        number = self._users.number_of(line_id) if is_line_id(line_id) else self._chats.number_of(line_id)
        if number is None:
            raise InvalidRequest("Failed to send messages")
        return number

    def reached(self, chat: int) -> list[int]:
        """Return the chat, or an empty list if it is a user whom messages do not reach."""
        return [chat] if chat < 0 or self._users.is_reachable(chat, self._clock.now()) else []

    def check_messages(self, chat: int, messages: Sequence[dict[str, Any]]) -> None:
        """Check that messages suit a chat.

        Raises:
            InvalidRequest: A message does not suit.
        """
        if chat >= 0:
            check_for_users(messages)
        else:
            check_for_chat(messages, lambda line_id: self._users.number_of(line_id) in self._chats.members(chat))

    def followers_among(self, line_ids: Sequence[str]) -> list[int]:
        """Return each follower once; users who do not follow the account are ignored.

        Raises:
            InvalidRequest: The channel does not know an ID, and the option to reject unknown IDs is set.
        """
        numbers = dict.fromkeys(self._users.number_of(line_id) for line_id in line_ids)
        if self._rejects_unknown_ids and None in numbers:
            unknown = next(index for index, line_id in enumerate(line_ids) if self._users.number_of(line_id) is None)
            raise InvalidRequest.for_property(f"to[{unknown}]")
        return [number for number in numbers if number is not None and self._users.is_following(number)]

    def all_followers(self) -> UserSet:
        return self._users.in_state(UserState.FOLLOWING)

    def message_count(self, chats: Sequence[int]) -> int:
        """Return the number of messages that LINE counts for a delivery: one per member of each chat."""
        if isinstance(chats, UserSet):
            return len(chats)
        return sum(1 if chat >= 0 else len(self._chats.members(chat)) for chat in chats)
