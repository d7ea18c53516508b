"""From all evidence about a person to the follow state and its history: a pure function of the set, in any order.

The latest evidence decides. Webhook events tell when something happened; LINE's list of followers and a look at the
profile tell only what was so when it was looked at, but also of what happened while no receiver ran. LINE gives the
profiles of some people who never followed (they wrote first), so a profile does not outweigh the list; and that there
is none says nothing of people of whom nothing else is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.follow_state import FollowState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Source(StrEnum):
    """Where evidence comes from."""

    WEBHOOK = "webhook"
    """A follow or unfollow event."""
    FOLLOWERS_API = "followers_api"
    """A listing of all followers."""
    PROFILE_CHECK = "profile_check"
    """LINE gave the person's profile, or did not."""


class FollowSignal(StrEnum):
    """What a piece of evidence says."""

    FOLLOWED = "followed"
    UNBLOCKED = "unblocked"
    UNFOLLOWED = "unfollowed"
    LISTED = "listed"
    MISSING = "missing"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"

    @property
    def state(self) -> FollowState:
        """The follow state that it speaks for."""
        return FollowState.UNFOLLOWED if self in _AGAINST else FollowState.FOLLOWING

    @property
    def source(self) -> Source:
        """Where such evidence comes from."""
        return _SOURCES[self]


_AGAINST = frozenset({FollowSignal.UNFOLLOWED, FollowSignal.MISSING, FollowSignal.UNREACHABLE})
_SOURCES = {
    FollowSignal.FOLLOWED: Source.WEBHOOK,
    FollowSignal.UNBLOCKED: Source.WEBHOOK,
    FollowSignal.UNFOLLOWED: Source.WEBHOOK,
    FollowSignal.LISTED: Source.FOLLOWERS_API,
    FollowSignal.MISSING: Source.FOLLOWERS_API,
    FollowSignal.REACHABLE: Source.PROFILE_CHECK,
    FollowSignal.UNREACHABLE: Source.PROFILE_CHECK,
}
# What a look finds, and the last news before it.
_SAYS_NOTHING = frozenset({(FollowSignal.REACHABLE, FollowSignal.MISSING), (FollowSignal.UNREACHABLE, None)})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that speaks for or against a person following the account at a time."""

    at: datetime
    what: FollowSignal


@dataclass(frozen=True, slots=True)
class Friendship:
    """What all evidence about a person comes to."""

    state: FollowState = FollowState.UNKNOWN
    source: Source | None = None
    updated_at: datetime | None = None
    """Time of the evidence that decided."""
    history: tuple[Evidence, ...] = ()
    """In order of time: every event, and every other piece of evidence that was news."""

    def last(self, *whats: FollowSignal) -> datetime | None:
        """The last time that one of these was seen."""
        return max((evidence.at for evidence in self.history if evidence.what in whats), default=None)

    def first(self, *whats: FollowSignal) -> datetime | None:
        """The first time that one of these was seen."""
        return min((evidence.at for evidence in self.history if evidence.what in whats), default=None)


def friendship_of(evidence: Iterable[Evidence]) -> Friendship:
    """Weigh evidence.

    Args:
        evidence: In any order; repetitions change nothing. At the same time, what speaks against following counts as
            the later, since nobody is reached by mistake then.
    """
    state, source, updated_at = FollowState.UNKNOWN, None, None
    history: list[Evidence] = []
    for piece in sorted(set(evidence), key=_order):
        if (piece.what, history[-1].what if history else None) in _SAYS_NOTHING:
            continue
        if piece.what.state is not state or piece.what.source is Source.WEBHOOK:
            history.append(piece)
            state, source, updated_at = piece.what.state, piece.what.source, piece.at
    return Friendship(state, source, updated_at, tuple(history))


def _order(piece: Evidence) -> tuple[datetime, bool, str]:
    return piece.at, piece.what.state is FollowState.UNFOLLOWED, piece.what.value
