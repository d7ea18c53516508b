"""Rules that derive a person's follow state and its history from all follow evidence. Pure functions.

The result depends only on the set of evidence, not on the order of its arrival. The latest evidence decides:

- Webhook events say when a person followed or unfollowed.
- LINE's list of followers and profile checks say what was true at the time of the request. They also reveal changes
  that happened while no receiver was running.
- LINE returns profiles of some people who do not follow (for example people who only sent a message). So a profile does
  not override a complete list without the person.
- A missing profile is no evidence if nothing else is known about the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.follow_state import FollowState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class EvidenceSource(StrEnum):
    """Origin of follow evidence."""

    WEBHOOK = "webhook"
    """A follow or unfollow event."""
    FOLLOWERS_API = "followers_api"
    """A complete list of followers."""
    PROFILE_CHECK = "profile_check"
    """A request for the person's profile."""


class FollowSignal(StrEnum):
    """Meaning of a piece of follow evidence."""

    FOLLOWED = "followed"
    UNBLOCKED = "unblocked"
    UNFOLLOWED = "unfollowed"
    LISTED = "listed"
    """The person was in LINE's list of followers."""
    MISSING = "missing"
    """The person was not in a complete list of followers."""
    REACHABLE = "reachable"
    """LINE returned the person's profile."""
    UNREACHABLE = "unreachable"
    """LINE had no profile of the person."""

    @property
    def state(self) -> FollowState:
        """The follow state that the signal indicates."""
        return FollowState.UNFOLLOWED if self in _UNFOLLOWED_SIGNALS else FollowState.FOLLOWING

    @property
    def source(self) -> EvidenceSource:
        """The origin of evidence with this signal."""
        return _SOURCES[self]


_UNFOLLOWED_SIGNALS = frozenset({FollowSignal.UNFOLLOWED, FollowSignal.MISSING, FollowSignal.UNREACHABLE})
_SOURCES = {
    FollowSignal.FOLLOWED: EvidenceSource.WEBHOOK,
    FollowSignal.UNBLOCKED: EvidenceSource.WEBHOOK,
    FollowSignal.UNFOLLOWED: EvidenceSource.WEBHOOK,
    FollowSignal.LISTED: EvidenceSource.FOLLOWERS_API,
    FollowSignal.MISSING: EvidenceSource.FOLLOWERS_API,
    FollowSignal.REACHABLE: EvidenceSource.PROFILE_CHECK,
    FollowSignal.UNREACHABLE: EvidenceSource.PROFILE_CHECK,
}
# Signals to ignore, each with the previous signal in the history (None: no history).
_IGNORED_AFTER = frozenset({(FollowSignal.REACHABLE, FollowSignal.MISSING), (FollowSignal.UNREACHABLE, None)})


@dataclass(frozen=True, slots=True)
class FollowEvidence:
    """A signal that a person does or does not follow the account, with its time."""

    at: datetime
    signal: FollowSignal


@dataclass(frozen=True, slots=True)
class Friendship:
    """Follow state of a person, derived from all evidence."""

    state: FollowState = FollowState.UNKNOWN
    source: EvidenceSource | None = None
    updated_at: datetime | None = None
    """Time of the evidence that decided the state."""
    history: tuple[FollowEvidence, ...] = ()
    """All webhook events, and all other evidence that changed the state, by time."""

    def first(self, *signals: FollowSignal) -> datetime | None:
        """Return the first time of any of the signals."""
        return min((evidence.at for evidence in self.history if evidence.signal in signals), default=None)

    def last(self, *signals: FollowSignal) -> datetime | None:
        """Return the last time of any of the signals."""
        return max((evidence.at for evidence in self.history if evidence.signal in signals), default=None)


def derive_friendship(evidence: Iterable[FollowEvidence]) -> Friendship:
    """Return the friendship that the evidence shows.

    Args:
        evidence: All evidence about one person, in any order, possibly repeated. Of two signals at the same time, the
            one for unfollowed counts as later, because then no message is sent by mistake.
    """
    state, source, updated_at = FollowState.UNKNOWN, None, None
    history: list[FollowEvidence] = []
    for piece in sorted(set(evidence), key=_order):
        if (piece.signal, history[-1].signal if history else None) in _IGNORED_AFTER:
            continue
        if piece.signal.state is not state or piece.signal.source is EvidenceSource.WEBHOOK:
            history.append(piece)
            state, source, updated_at = piece.signal.state, piece.signal.source, piece.at
    return Friendship(state, source, updated_at, tuple(history))


def _order(piece: FollowEvidence) -> tuple[datetime, bool, str]:
    return piece.at, piece.signal.state is FollowState.UNFOLLOWED, piece.signal.value
