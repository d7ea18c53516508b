"""The groups and rooms that the account has joined, and their members.

They are computed from the seed; only the chats that the account left are stored. Chat numbers are negative, so that
they differ from user numbers: -1 is the first group, and rooms follow after the groups.

Source: LINE Messaging API reference, "Group chats", "Multi-person chats".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import NotFound
from line_sandbox.foundation.numbered_ids import NumberedIds
from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.users.state import Users

GROUPS = 8
ROOMS = 3

_MIN_MEMBERS = 2
_MAX_MEMBERS = 250
_NAMES = ("Regulars", "常連さん", "Book club", "Neighbours", "พี่น้อง", "部活", "Staff ☕", "家族")


class ChatKind(StrEnum):
    """LINE's kinds of chats with several users."""

    GROUP = "group"
    ROOM = "room"


class Chats:
    """The account's groups and rooms."""

    def __init__(self, users: Users, seed: int) -> None:
        self._users = users
        self._ids = {ChatKind.GROUP: NumberedIds(seed, "C"), ChatKind.ROOM: NumberedIds(seed, "R")}
        self._random = SeededRandom(seed, "chats")
        self._left: set[int] = set()

    def all(self, kind: ChatKind) -> Sequence[str]:
        """Return the ids of all chats of a kind that the account is a member of."""
        indexes = range(GROUPS) if kind is ChatKind.GROUP else range(ROOMS)
        return [self._ids[kind].id_of(index) for index in indexes if _number(kind, index) not in self._left]

    def number_of(self, chat_id: str) -> int | None:
        """Return the chat number of an id; None if the account is not a member of such a chat."""
        kind = ChatKind.GROUP if chat_id.startswith("C") else ChatKind.ROOM
        index = self._ids[kind].number_of(chat_id)
        if index is None or index >= (GROUPS if kind is ChatKind.GROUP else ROOMS):
            return None
        number = _number(kind, index)
        return None if number in self._left else number

    def find(self, kind: ChatKind, chat_id: str) -> int:
        """Return the number of a chat of a kind.

        Raises:
            NotFound: The account is not a member of such a chat.
        """
        number = self.number_of(chat_id) if chat_id.startswith("C" if kind is ChatKind.GROUP else "R") else None
        if number is None:
            raise NotFound
        return number

    def id_of(self, number: int) -> str:
        """Return the id of a chat number."""
        index = -1 - number
        if index < GROUPS:
            return self._ids[ChatKind.GROUP].id_of(index)
        return self._ids[ChatKind.ROOM].id_of(index - GROUPS)

    def name(self, number: int) -> str:
        """Return a group's name."""
        return _NAMES[(-1 - number) % len(_NAMES)]

    def picture_url(self, number: int) -> str:
        """Return the URL of a group's picture."""
        return f"https://profile.example/{self.id_of(number)}.jpg"

    def members(self, number: int) -> Sequence[int]:
        """Return the user numbers of a chat's members, some of whom may not follow the account."""
        users = self._users.initial_users
        bits = self._random.integer(-number)
        size = min(users, _MIN_MEMBERS + bits % (_MAX_MEMBERS - _MIN_MEMBERS))
        first = bits >> 16
        return [(first + offset) % users for offset in range(size)]

    def leave(self, number: int) -> None:
        """Record that the account left a chat."""
        self._left.add(number)


def _number(kind: ChatKind, index: int) -> int:
    return -1 - (index if kind is ChatKind.GROUP else GROUPS + index)
