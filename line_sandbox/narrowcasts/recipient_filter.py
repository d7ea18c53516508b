"""Evaluates LINE's recipient objects: audiences and earlier narrowcasts, combined by and, or, not.

Source: LINE Messaging API reference, "Recipient objects".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import AudienceErrorResponse, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_sandbox.audiences.state import Audience, AudienceStore

    NumberPredicate = Callable[[int], bool]

MAX_SOURCES = 10


class RecipientFilter:
    """A recipient object, resolved to user numbers."""

    def __init__(
        self,
        recipient: dict[str, Any],
        audiences: AudienceStore,
        recipients_of: Callable[[str], Sequence[int]],
        now: float,
    ) -> None:
        """Resolve all audiences and narrowcasts in a recipient object.

        Args:
            recipient: LINE's recipient object, valid.
            audiences: The account's audiences.
            recipients_of: Returns the recipients of a completed narrowcast, by request id.
            now: Seconds since 1970.

        Raises:
            InvalidRequest: An audience is not ready, a narrowcast cannot be used, or there are more than 10 of them.
        """
        self.audiences: list[Audience] = []
        self._redeliveries: list[frozenset[int]] = []
        self._all_audiences = audiences
        self._recipients_of = recipients_of
        self._now = now
        self._has_negation = False
        self.matches = self._predicate(recipient)
        """A function that returns whether a user number matches."""
        if len(self.audiences) + len(self._redeliveries) > MAX_SOURCES:
            raise InvalidRequest("The number of audiences and redeliveries must be 10 or less")

    @property
    def is_restricted(self) -> bool:
        """Whether LINE requires at least 50 recipients."""
        return any(audience.is_restricted for audience in self.audiences)

    def candidates(self, followers: Sequence[int]) -> Sequence[int]:
        """Return the users that can match: those of all sources, or all followers if the object has a negation."""
        if self._has_negation:
            return followers
        sources = [audience.members for audience in self.audiences]
        return sorted(set().union(*sources, *self._redeliveries))

    def _predicate(self, recipient: dict[str, Any]) -> NumberPredicate:
        match recipient["type"]:
            case "audience":
                return self._ready_audience(recipient["audienceGroupId"]).members.__contains__
            case "redelivery":
                users = frozenset(self._recipients_of(recipient["requestId"]))
                self._redeliveries.append(users)
                return users.__contains__
            case _:
                return self._operator(recipient)

    def _operator(self, recipient: dict[str, Any]) -> NumberPredicate:
        if "not" in recipient:
            self._has_negation = True
            negated = self._predicate(recipient["not"])
            return lambda number: not negated(number)
        quantifier = all if "and" in recipient else any
        parts = [self._predicate(part) for part in recipient.get("and") or recipient["or"]]
        return lambda number: quantifier(part(number) for part in parts)

    def _ready_audience(self, audience_id: int) -> Audience:
        try:
            audience = self._all_audiences.find(audience_id)
        except AudienceErrorResponse:
            audience = None
        if audience is None or audience.status(self._now) != "READY":
            raise InvalidRequest(f"Invalid audience group id: {audience_id}")
        self.audiences.append(audience)
        return audience
