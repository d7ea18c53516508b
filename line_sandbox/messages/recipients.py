"""LINE's recipient objects: audiences and earlier narrowcasts, joined by and, or, not.

Source: LINE Messaging API reference, "Recipient objects".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import AudienceErrorResponse, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_sandbox.audiences.state import Audience, Audiences

    Question = Callable[[int], bool]

MAX_SOURCES = 10


class Recipients:
    """A recipient object as a question about a person."""

    def __init__(
        self,
        recipient: dict[str, Any],
        audiences: Audiences,
        sent_to: Callable[[str], Sequence[int]],
        now: float,
    ) -> None:
        """Look up everything that it names.

        Args:
            recipient: LINE's recipient object.
            audiences: The account's audiences.
            sent_to: Whom a narrowcast was sent to, by its request id.
            now: Seconds since 1970.

        Raises:
            InvalidRequest: It names an audience that is not ready, a narrowcast that cannot be used, or too many.
        """
        self.audiences: list[Audience] = []
        self._redeliveries: list[frozenset[int]] = []
        self._all = audiences
        self._sent_to = sent_to
        self._now = now
        self._is_open = False
        self.holds = self._question(recipient)
        if len(self.audiences) + len(self._redeliveries) > MAX_SOURCES:
            raise InvalidRequest("The number of audiences and redeliveries must be 10 or less")

    @property
    def is_restricted(self) -> bool:
        """Whether 50 people are needed in the end."""
        return any(audience.is_restricted for audience in self.audiences)

    def candidates(self, everybody: Sequence[int]) -> Sequence[int]:
        """The people who may be meant: all, where something is only denied, else those of the sources."""
        if self._is_open:
            return everybody
        sources = [audience.people for audience in self.audiences]
        return sorted(set().union(*sources, *self._redeliveries))

    def _question(self, recipient: dict[str, Any]) -> Question:
        match recipient["type"]:
            case "audience":
                return self._audience(recipient["audienceGroupId"]).people.__contains__
            case "redelivery":
                people = frozenset(self._sent_to(recipient["requestId"]))
                self._redeliveries.append(people)
                return people.__contains__
            case _:
                return self._operator(recipient)

    def _operator(self, recipient: dict[str, Any]) -> Question:
        if "not" in recipient:
            self._is_open = True
            inner = self._question(recipient["not"])
            return lambda number: not inner(number)
        quantifier = all if "and" in recipient else any
        parts = [self._question(part) for part in recipient.get("and") or recipient["or"]]
        return lambda number: quantifier(part(number) for part in parts)

    def _audience(self, number: int) -> Audience:
        try:
            audience = self._all.find(number)
        except AudienceErrorResponse:
            audience = None
        if audience is None or audience.status(self._now) != "READY":
            raise InvalidRequest(f"Invalid audience group id: {number}")
        self.audiences.append(audience)
        return audience
