"""The number of followers on each day, before and after the sandbox started.

Source: LINE Messaging API reference, "Get number of followers".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.users.state import Users

ACCOUNT_CREATED_ON = date(2019, 4, 1)

_GROWTH_ENDS_ON = date(2026, 1, 1)
_TARGETED_FRACTION = 0.8


@dataclass(slots=True)
class FollowerCounts:
    """Numbers of users at the end of a day."""

    followers: int
    """Users who ever followed the account, including those who block it now."""
    targeted_reaches: int
    """Followers that LINE can address by demographics."""
    blocks: int


class FollowerHistory:
    """Counts followers by day. Days before the sandbox started are computed: linear growth since 2019."""

    def __init__(self, users: Users, clock: Clock) -> None:
        self._users = users
        self._clock = clock
        self._changes: dict[date, tuple[int, int]] = {}

    def set_state(self, line_id: str, state: UserState) -> None:
        """Change a user's state and count the change on the current day."""
        users = self._users
        number = users.number_of(line_id)
        before = UserState.STRANGER if number is None else users.state(number)
        was_friend = before is not UserState.STRANGER
        users.set_state(line_id, state)
        today = self._clock.today()
        added, blocked = self._changes.get(today, (0, 0))
        added += state is UserState.FOLLOWING and not was_friend
        blocked += (state is UserState.BLOCKED) - (before is UserState.BLOCKED)
        self._changes[today] = (added, blocked)

    def counts(self, day: date) -> FollowerCounts:
        """Return the numbers at the end of a day."""
        growth = (day - ACCOUNT_CREATED_ON).days / (_GROWTH_ENDS_ON - ACCOUNT_CREATED_ON).days
        fraction = min(1.0, max(0.0, growth))
        followers = int(self._users.initial_users * fraction)
        blocks = int((self._users.initial_users - self._users.initial_followers) * fraction)
        for changed_on, (added, blocked) in self._changes.items():
            if changed_on <= day:
                followers += added
                blocks += blocked
        return FollowerCounts(followers, int((followers - blocks) * _TARGETED_FRACTION), blocks)
