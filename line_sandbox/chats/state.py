"""Groups and rooms that the account is in, and who is in them.

They are a function of the seed; only those that the account has left are stored. Their ids are kept apart from people's
by their numbers, which are below 0.

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

_FEWEST_MEMBERS = 2
_MOST_MEMBERS = 250
_NAMES = ("Regulars", "常連さん", "Book club", "Neighbours", "พี่น้อง", "部活", "Staff ☕", "家族")


class ChatKind(StrEnum):
    """What a chat of several people is."""

    GROUP = "group"
    ROOM = "room"


class Chats:
    """The groups and rooms of an account."""

    def __init__(self, users: Users, seed: int) -> None:
        self._users = users
        self._ids = {ChatKind.GROUP: NumberedIds(seed, "C"), ChatKind.ROOM: NumberedIds(seed, "R")}
        self._chance = SeededRandom(seed, "chats")
        self._left: set[int] = set()

    def all(self, kind: ChatKind) -> Sequence[str]:
        """The ids of all chats of a kind that the account is in."""
        numbers = range(GROUPS) if kind is ChatKind.GROUP else range(ROOMS)
        return [self._ids[kind].id_of(place) for place in numbers if _number(kind, place) not in self._left]

    def number_of(self, chat_id: str) -> int | None:
        """The number, below 0, of a chat that the account is in; None for any other id."""
        kind = ChatKind.GROUP if chat_id.startswith("C") else ChatKind.ROOM
        place = self._ids[kind].number_of(chat_id)
        if place is None or place >= (GROUPS if kind is ChatKind.GROUP else ROOMS):
            return None
        number = _number(kind, place)
        return None if number in self._left else number

    def find(self, kind: ChatKind, chat_id: str) -> int:
        """The number of a chat of a kind.

        Raises:
            NotFound: The account is not in such a chat.
        """
        number = self.number_of(chat_id) if chat_id.startswith("C" if kind is ChatKind.GROUP else "R") else None
        if number is None:
            raise NotFound
        return number

    def id_of(self, number: int) -> str:
        """The id of a chat's number."""
        place = -1 - number
        if place < GROUPS:
            return self._ids[ChatKind.GROUP].id_of(place)
        return self._ids[ChatKind.ROOM].id_of(place - GROUPS)

    def name(self, number: int) -> str:
        """What a group is called."""
        return _NAMES[(-1 - number) % len(_NAMES)]

    def picture_url(self, number: int) -> str:
        """Where a group's picture is."""
        return f"https://profile.example/{self.id_of(number)}.jpg"

    def members(self, number: int) -> Sequence[int]:
        """The numbers of the people in a chat, friends of the account or not."""
        people = self._users.first_newcomer
        draw = self._chance.integer(-number)
        size = min(people, _FEWEST_MEMBERS + draw % (_MOST_MEMBERS - _FEWEST_MEMBERS))
        first = draw >> 16
        return [(first + place) % people for place in range(size)]

    def leave(self, number: int) -> None:
        """Leave a chat."""
        self._left.add(number)


def _number(kind: ChatKind, place: int) -> int:
    return -1 - (place if kind is ChatKind.GROUP else GROUPS + place)
