"""Selects the recipients of a narrowcast.

Source: LINE Messaging API reference, "Send narrowcast message".
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import Forbidden
from line_sandbox.narrowcasts.demographic_filter import demographic_filter
from line_sandbox.narrowcasts.recipient_filter import RecipientFilter
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_sandbox.audiences.state import AudienceStore
    from line_sandbox.users.demographics import DemographicsEstimator
    from line_sandbox.users.state import Users
    from line_sandbox.users.user_set import UserSet

MIN_FRIENDS_FOR_FILTERS = 100


@dataclass(frozen=True, slots=True)
class NarrowcastTarget:
    """The `recipient` and `filter` of a narrowcast, resolved."""

    recipient: RecipientFilter | None
    """None means all followers."""
    demographic: dict[str, Any] | None
    """LINE's demographic filter object; None means no filter."""

    @property
    def is_restricted(self) -> bool:
        """Whether LINE requires at least 50 recipients."""
        return self.demographic is not None or (self.recipient is not None and self.recipient.is_restricted)


class RecipientSelector:
    """Resolves the target of a narrowcast and selects its recipients."""

    def __init__(self, users: Users, audiences: AudienceStore, demographics: DemographicsEstimator, seed: int) -> None:
        self._users = users
        self._audiences = audiences
        self._demographics = demographics
        self._seed = seed

    def resolve(
        self,
        recipient: dict[str, Any] | None,
        demographic: dict[str, Any] | None,
        recipients_of: Callable[[str], Sequence[int]],
        now: float,
    ) -> NarrowcastTarget:
        """Look up the audiences and earlier narrowcasts of a target.

        Args:
            recipient: LINE's recipient object; None for all followers.
            demographic: LINE's demographic filter object; None for no filter.
            recipients_of: Returns the recipients of a completed narrowcast, by request id.
            now: Seconds since 1970.

        Raises:
            Forbidden: The account has too few followers for a demographic filter.
            InvalidRequest: An audience or an earlier narrowcast cannot be used.
        """
        recipient_filter = RecipientFilter(recipient, self._audiences, recipients_of, now) if recipient else None
        if demographic and len(self.followers()) < MIN_FRIENDS_FOR_FILTERS:
            raise Forbidden("Your account does not have enough friends")
        return NarrowcastTarget(recipient_filter, demographic)

    def followers(self) -> UserSet:
        """Return the current followers: LINE's "target reach"."""
        return self._users.in_state(UserState.FOLLOWING)

    def followers_among(self, users: Sequence[int]) -> list[int]:
        """Return the users who follow the account now."""
        return [number for number in users if self._users.is_following(number)]

    def matching_users(self, target: NarrowcastTarget) -> Sequence[int]:
        """Return the current followers who match a target."""
        recipient, followers = target.recipient, self.followers()
        if recipient is None and target.demographic is None:
            return followers
        matches = demographic_filter(target.demographic) if target.demographic else None
        candidates = recipient.candidates(followers) if recipient else followers
        return [
            number
            for number in candidates
            if self._users.is_following(number)
            and (recipient is None or recipient.matches(number))
            and (matches is None or matches(self._demographics.estimate(number)))
        ]

    def sample(self, users: Sequence[int], size: int, request_number: int) -> list[int]:
        """Return `size` random users, which depend on the seed and the request."""
        generator = random.Random(f"{self._seed}:{request_number}")  # noqa: S311 - not for security
        return sorted(generator.sample(users, size))
