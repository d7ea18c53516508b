"""The users that the channel can know: followers, former followers who blocked the account, and users added later.

Every user is computed from the seed. Only users whose state changed, or who were added later, are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from line_sandbox.foundation.numbered_ids import ModuleUserIds, NumberedIds
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.profile_values import FAMILY_NAMES, GIVEN_NAMES, LANGUAGES, STATUS_MESSAGES
from line_sandbox.users.user_set import UserSet

_FOLLOWERS_PER_BLOCKED_USER = 20
_REACHABLE_SECONDS_AFTER_MESSAGE = 7 * 24 * 3600
_NEVER = float("-inf")
_FRACTION_WITHOUT_LANGUAGE = 0.1
_FRACTION_WITHOUT_PICTURE = 0.2
_FRACTION_WITH_STATUS_MESSAGE = 0.3


class UserState(StrEnum):
    """A user's relation to the account."""

    FOLLOWING = "following"
    BLOCKED = "blocked"
    LEFT = "left"
    """The user deleted the LINE account."""
    STRANGER = "stranger"
    """The user is known under the provider but never added the account."""


@dataclass(frozen=True, slots=True)
class UserProfile:
    """A user's profile. Fields that are None are missing in LINE's response."""

    user_id: str
    display_name: str
    picture_url: str | None
    status_message: str | None
    language: str | None


class Users:
    """All users that the channel can know, by number: initial followers, initially blocked users, added users."""

    def __init__(self, followers: int, seed: int, module_account_id: str | None = None) -> None:
        """Create the users of a seed.

        Args:
            followers: Number of users who follow the account at the start.
            seed: Determines the user IDs and profiles.
            module_account_id: User id of the account, if the channel is a module channel.
        """
        self.initial_followers = followers
        """Users with a number below this follow the account at the start."""
        blocked = (followers + _FOLLOWERS_PER_BLOCKED_USER - 1) // _FOLLOWERS_PER_BLOCKED_USER
        self.initial_users = followers + blocked
        """Users with a number below this, but not below `initial_followers`, block the account at the start."""
        ids = NumberedIds(seed, "U")
        self._ids = ids if module_account_id is None else ModuleUserIds(ids, module_account_id)
        self._random = SeededRandom(seed, "profiles")
        self._changed: dict[int, UserState] = {}
        self._last_message_at: dict[int, float] = {}
        self._added_ids: list[str] = []
        self._added_numbers: dict[str, int] = {}
        self._sets: dict[UserState, UserSet] = {}

    def __len__(self) -> int:
        return self.initial_users + len(self._added_ids)

    def number_of(self, line_id: str) -> int | None:
        """Return the number of a LINE ID; None if the channel does not know the user."""
        number = self._added_numbers.get(line_id)
        if number is None:
            number = self._ids.number_of(line_id)
            if number is not None and number >= self.initial_users:
                return None
        return number

    def line_id(self, number: int) -> str:
        """Return the LINE ID of a user number."""
        if number < self.initial_users:
            return self._ids.id_of(number)
        return self._added_ids[number - self.initial_users]

    def state(self, number: int) -> UserState:
        """Return a user's current state."""
        changed = self._changed.get(number)
        if changed is not None:
            return changed
        return UserState.FOLLOWING if number < self.initial_followers else UserState.BLOCKED

    def is_following(self, number: int) -> bool:
        return self.state(number) is UserState.FOLLOWING

    def is_reachable(self, number: int, now: float) -> bool:
        """Return whether a push is delivered: to followers, and to strangers who sent a message in the last 7 days."""
        state = self.state(number)
        if state is UserState.STRANGER:
            return now < self._last_message_at.get(number, _NEVER) + _REACHABLE_SECONDS_AFTER_MESSAGE
        return state is UserState.FOLLOWING

    def record_message(self, number: int, now: float) -> None:
        """Record that a user sent a message to the account."""
        if self.state(number) is UserState.STRANGER:
            self._last_message_at[number] = now

    def set_state(self, line_id: str, state: UserState) -> None:
        """Change a user's state; add the user if the LINE ID is unknown."""
        number = self.number_of(line_id)
        if number is None:
            number = len(self)
            self._added_ids.append(line_id)
            self._added_numbers[line_id] = number
        self._changed[number] = state
        self._sets.clear()

    def in_state(self, state: UserState) -> UserSet:
        """Return the users who are currently in a state."""
        if state not in self._sets:
            base = self._initial_range(state)
            changed = sorted(self._changed.items())
            self._sets[state] = UserSet(
                base,
                [number for number, current in changed if number in base and current is not state],
                [number for number, current in changed if number not in base and current is state],
            )
        return self._sets[state]

    def _initial_range(self, state: UserState) -> range:
        if state is UserState.FOLLOWING:
            return range(self.initial_followers)
        if state is UserState.BLOCKED:
            return range(self.initial_followers, self.initial_users)
        return range(self.initial_followers, self.initial_followers)

    def profile(self, number: int) -> UserProfile:
        """Return a user's generated profile."""
        bits = self._random.integer(number, 16)
        draws = [bits >> (16 * index) & 0xFFFF for index in range(8)]
        line_id = self.line_id(number)
        has_picture = not _is_below(draws[3], _FRACTION_WITHOUT_PICTURE)
        return UserProfile(
            user_id=line_id,
            display_name=_display_name(draws[0], draws[1], draws[2]),
            picture_url=f"https://profile.example/{line_id}.jpg" if has_picture else None,
            status_message=(
                _choose(STATUS_MESSAGES, draws[5]) if _is_below(draws[4], _FRACTION_WITH_STATUS_MESSAGE) else None
            ),
            language=None if _is_below(draws[6], _FRACTION_WITHOUT_LANGUAGE) else _choose(LANGUAGES, draws[7]),
        )


def _is_below(draw: int, fraction: float) -> bool:
    """Return whether a 16-bit random number falls into the first `fraction` of its range."""
    return draw < fraction * 2**16


def _choose(options: tuple[str, ...], draw: int) -> str:
    return options[draw % len(options)]


def _display_name(family: int, given: int, style: int) -> str:
    names = (_choose(GIVEN_NAMES, given), f"{_choose(GIVEN_NAMES, given)} {_choose(FAMILY_NAMES, family)}")
    return names[style % 2]
