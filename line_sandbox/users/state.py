"""The people a channel can know: followers, and former followers who have blocked it.

Everybody is a function of the seed; only those whose state was changed since, and those who came since, are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from line_sandbox.foundation.numbered_ids import NumberedIds
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.names import FAMILY_NAMES, GIVEN_NAMES, LANGUAGES, STATUS_MESSAGES
from line_sandbox.users.user_set import Crowd

_FOLLOWERS_PER_FORMER = 20
_ANSWERABLE_SECONDS = 7 * 24 * 3600
_NEVER = float("-inf")
_SHARE_WITHOUT_LANGUAGE = 0.1
_SHARE_WITHOUT_PICTURE = 0.2
_SHARE_WITH_STATUS = 0.3


class UserState(StrEnum):
    """What a person is to the channel."""

    FOLLOWING = "following"
    BLOCKED = "blocked"
    LEFT = "left"
    """The LINE account is deleted."""
    STRANGER = "stranger"
    """LINE knows them under the provider, but they never added the account."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What LINE tells about a person; None is left out of its answers."""

    user_id: str
    display_name: str
    picture_url: str | None
    status_message: str | None
    language: str | None


class Users:
    """Everybody whom the channel can know, by number: first the followers, then the former ones, then newcomers."""

    def __init__(self, followers: int, seed: int) -> None:
        """Make a population.

        Args:
            followers: How many people follow the account at the beginning.
            seed: Other seeds give other people.
        """
        self.first_former = followers
        self.first_newcomer = followers + (followers + _FOLLOWERS_PER_FORMER - 1) // _FOLLOWERS_PER_FORMER
        self._ids = NumberedIds(seed, "U")
        self._chance = SeededRandom(seed, "profiles")
        self._changed: dict[int, UserState] = {}
        self._wrote_at: dict[int, float] = {}
        self._newcomers: list[str] = []
        self._newcomer_numbers: dict[str, int] = {}
        self._crowds: dict[UserState, Crowd] = {}

    def __len__(self) -> int:
        """How many people the channel can know."""
        return self.first_newcomer + len(self._newcomers)

    def number_of(self, line_id: str) -> int | None:
        """The number of a LINE ID; None if the channel cannot know it."""
        number = self._newcomer_numbers.get(line_id)
        if number is None:
            number = self._ids.number_of(line_id)
            if number is not None and number >= self.first_newcomer:
                return None
        return number

    def line_id(self, number: int) -> str:
        """The LINE ID of a number."""
        if number < self.first_newcomer:
            return self._ids.id_of(number)
        return self._newcomers[number - self.first_newcomer]

    def state(self, number: int) -> UserState:
        """What a person is to the channel now."""
        changed = self._changed.get(number)
        if changed is not None:
            return changed
        return UserState.FOLLOWING if number < self.first_former else UserState.BLOCKED

    def is_following(self, number: int) -> bool:
        """Whether messages reach a person."""
        return self.state(number) is UserState.FOLLOWING

    def is_reachable(self, number: int, now: float) -> bool:
        """Whether pushes reach a person: a follower, or a stranger who wrote in the last seven days."""
        state = self.state(number)
        if state is UserState.STRANGER:
            return now < self._wrote_at.get(number, _NEVER) + _ANSWERABLE_SECONDS
        return state is UserState.FOLLOWING

    def wrote(self, number: int, now: float) -> None:
        """A person wrote to the account."""
        if self.state(number) is UserState.STRANGER:
            self._wrote_at[number] = now

    def set_state(self, line_id: str, state: UserState) -> None:
        """Change what a person is to the channel; a LINE ID that is new to it becomes known."""
        number = self.number_of(line_id)
        if number is None:
            number = len(self)
            self._newcomers.append(line_id)
            self._newcomer_numbers[line_id] = number
        self._changed[number] = state
        self._crowds.clear()

    def crowd(self, state: UserState) -> Crowd:
        """Everybody who is in a state now."""
        if state not in self._crowds:
            base = self._at_first(state)
            changed = sorted(self._changed.items())
            self._crowds[state] = Crowd(
                base,
                [number for number, now in changed if number in base and now is not state],
                [number for number, now in changed if number not in base and now is state],
            )
        return self._crowds[state]

    def _at_first(self, state: UserState) -> range:
        if state is UserState.FOLLOWING:
            return range(self.first_former)
        if state is UserState.BLOCKED:
            return range(self.first_former, self.first_newcomer)
        return range(self.first_former, self.first_former)

    def profile(self, number: int) -> Profile:
        """What LINE tells about a person."""
        draw = self._chance.integer(number, 16)
        draws = [draw >> (16 * place) & 0xFFFF for place in range(8)]
        line_id = self.line_id(number)
        return Profile(
            user_id=line_id,
            display_name=_name(draws[0], draws[1], draws[2]),
            picture_url=None if _rare(draws[3], _SHARE_WITHOUT_PICTURE) else f"https://profile.example/{line_id}.jpg",
            status_message=_pick(STATUS_MESSAGES, draws[5]) if _rare(draws[4], _SHARE_WITH_STATUS) else None,
            language=None if _rare(draws[6], _SHARE_WITHOUT_LANGUAGE) else _pick(LANGUAGES, draws[7]),
        )


def _rare(draw: int, share: float) -> bool:
    return draw < share * 2**16


def _pick(options: tuple[str, ...], draw: int) -> str:
    return options[draw % len(options)]


def _name(family: int, given: int, style: int) -> str:
    names = (_pick(GIVEN_NAMES, given), f"{_pick(GIVEN_NAMES, given)} {_pick(FAMILY_NAMES, family)}")
    return names[style % 2]
