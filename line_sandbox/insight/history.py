"""The account's figures of each day, before the sandbox began and since.

Source: LINE Messaging API reference, "Get number of followers", "Get number of message deliveries".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.users.state import Users

FOLLOWERS_KNOWN_SINCE = date(2016, 11, 1)
DELIVERIES_KNOWN_SINCE = date(2017, 3, 1)

_OPENED = date(2019, 4, 1)
_GROWN = date(2026, 1, 1)
_REACHED = 0.8


@dataclass(slots=True)
class FriendFigures:
    """How many people have followed, can be reached by targeting, and block."""

    followers: int
    targeted_reaches: int
    blocks: int


class History:
    """The figures; those before the sandbox began are a function of the seed."""

    def __init__(self, users: Users, clock: Clock, seed: int) -> None:
        self._users = users
        self._clock = clock
        self._chance = SeededRandom(seed, "history")
        self._changes: dict[date, tuple[int, int]] = {}

    def set_state(self, line_id: str, state: UserState) -> None:
        """Change what a person is to the channel, and count it on its day."""
        users = self._users
        number = users.number_of(line_id)
        before = UserState.STRANGER if number is None else users.state(number)
        was_friend = before is not UserState.STRANGER
        users.set_state(line_id, state)
        day = self._clock.today()
        added, blocked = self._changes.get(day, (0, 0))
        added += state is UserState.FOLLOWING and not was_friend
        blocked += (state is UserState.BLOCKED) - (before is UserState.BLOCKED)
        self._changes[day] = (added, blocked)

    def is_counted(self, day: date) -> bool:
        """Whether LINE has finished counting a day: the day after."""
        return day < self._clock.today()

    def friends(self, day: date) -> FriendFigures:
        """The figures at the end of a day."""
        share = min(1.0, max(0.0, (day - _OPENED).days / (_GROWN - _OPENED).days))
        followers = int(self._users.first_newcomer * share)
        blocks = int((self._users.first_newcomer - self._users.first_former) * share)
        for changed, (added, blocked) in self._changes.items():
            if changed <= day:
                followers += added
                blocks += blocked
        return FriendFigures(followers, int((followers - blocks) * _REACHED), blocks)

    def sent_by_hand(self, day: date) -> dict[str, int]:
        """Messages that the account's owner sent without the API on a day."""
        friends = self.friends(day)
        draw = self._chance.integer(day.toordinal(), 16)
        reach = friends.followers - friends.blocks
        return {
            "broadcast": reach if day.weekday() == draw % 7 else 0,
            "targeting": friends.targeted_reaches // 10 if draw >> 8 & 7 == 0 else 0,
            "stepMessage": reach * (draw >> 16 & 15) // 1000,
            "autoResponse": reach * (draw >> 20 & 15) // 1000,
            "welcomeResponse": reach * (draw >> 24 & 7) // 2000,
            "chat": reach * (draw >> 32 & 15) // 2000,
        }

    def sent_before(self, day: date, way: str) -> int:
        """Messages that went out through the API on a day before the sandbox began."""
        if day < _OPENED or day >= self._clock.started_on:
            return 0
        draw = self._chance.integer(day.toordinal() * 8 + len(way), 8)
        friends = self.friends(day)
        return (friends.followers - friends.blocks) * (draw & 63) // 1000
