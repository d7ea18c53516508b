"""Narrowcasts: accepted at once, sent by and by to whom audiences and filters choose.

Source: LINE Messaging API reference, "Send narrowcast message", "Get narrowcast message status".
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest, NotFound
from line_sandbox.insight.demographics import matcher
from line_sandbox.messages.recipients import Recipients
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.audiences.state import Audiences
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.insight.demographics import Demographics
    from line_sandbox.messages.quota import Quota
    from line_sandbox.messages.sending import Order, Sending
    from line_sandbox.users.state import Users

WAITING_SECONDS = 5.0
SENDING_SECONDS = 5.0
KNOWN_SECONDS = 14 * 24 * 3600
FEWEST_RECIPIENTS = 50
FEWEST_FRIENDS_FOR_FILTERS = 100


class Phase(StrEnum):
    """How far a narrowcast is."""

    WAITING = "waiting"
    SENDING = "sending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class FailureCode(StrEnum):
    """Why a narrowcast failed, as LINE numbers it."""

    TOO_FEW_RECIPIENTS = "2"
    TOO_SMALL_AUDIENCE = "4"
    ONLY_PART_OF_THEM = "5"


_DESCRIPTIONS = {
    FailureCode.TOO_FEW_RECIPIENTS: "Not enough recipients",
    FailureCode.TOO_SMALL_AUDIENCE: "Audience with not enough recipients",
    FailureCode.ONLY_PART_OF_THEM: "Canceled to prevent partial delivery",
}


@dataclass(slots=True)
class Narrowcast:
    """One narrowcast; times are in seconds since 1970."""

    order: Order
    accepted_at: float
    reserved: int
    recipients: Sequence[int]
    failure: FailureCode | None

    @property
    def sending_at(self) -> float:
        """When it begins to be sent, or fails."""
        return self.accepted_at + WAITING_SECONDS

    @property
    def completed_at(self) -> float:
        """When it is over."""
        return self.sending_at + (0 if self.failure else SENDING_SECONDS)

    def share_sent(self, now: float) -> float:
        """How much of it is sent, from 0 to 1."""
        if self.failure:
            return 0.0
        return min(1.0, max(0.0, (now - self.sending_at) / SENDING_SECONDS))

    def phase(self, now: float) -> Phase:
        """How far it is."""
        if now < self.sending_at:
            return Phase.WAITING
        if self.failure:
            return Phase.FAILED
        return Phase.SENDING if now < self.completed_at else Phase.SUCCEEDED


class Narrowcasts:
    """The narrowcasts of an account."""

    def __init__(  # noqa: PLR0913 - everything that a narrowcast touches, all by name
        self,
        *,
        users: Users,
        audiences: Audiences,
        demographics: Demographics,
        sending: Sending,
        quota: Quota,
        request_ids: SeededRandom,
        clock: Clock,
        seed: int,
    ) -> None:
        self._users = users
        self._audiences = audiences
        self._demographics = demographics
        self._sending = sending
        self._quota = quota
        self._request_ids = request_ids
        self._clock = clock
        self._seed = seed
        self._narrowcasts: dict[str, Narrowcast] = {}
        self._running: list[Narrowcast] = []

    def accept(
        self, order: Order, recipient: dict[str, Any] | None, demographic: dict[str, Any] | None, limit: dict[str, Any]
    ) -> Narrowcast:
        """Accept a narrowcast; it is sent as the clock goes on.

        Args:
            order: What to send.
            recipient: LINE's recipient object; None for everybody.
            demographic: LINE's demographic filter object; None for everybody.
            limit: LINE's limit object.

        Raises:
            AlreadyAccepted: A request was accepted under this retry key.
            Forbidden: Too few people follow the account to filter them.
            InvalidRequest: An audience or an earlier narrowcast cannot be used, or options do not go together.
            TooManyRequests: The month has no room for it.
        """
        self._sending.check_key(order)
        if limit.get("forbidPartialDelivery") and not limit.get("upToRemainingQuota"):
            raise InvalidRequest("The option forbidPartialDelivery must be used with upToRemainingQuota.")
        now = self._clock.now()
        chosen = Recipients(recipient, self._audiences, self._sent_to, now) if recipient else None
        everybody = self._users.crowd(UserState.FOLLOWING)
        if demographic and len(everybody) < FEWEST_FRIENDS_FOR_FILTERS:
            raise Forbidden("Your account does not have enough friends")
        reserved = self._room(len(everybody), limit)
        self._quota.check(reserved)

        people = self._choose(everybody, chosen, demographic)
        failure = _failure(people, chosen, demographic, reserved, limit)
        if len(people) > reserved:
            # The seed decides, and every narrowcast differs.
            chance = random.Random(f"{self._seed}:{order.request_number}")  # noqa: S311 - chance, not secrecy
            people = sorted(chance.sample(people, reserved))
        narrowcast = Narrowcast(order, now, reserved, people, failure)
        self._sending.bind_key(order)
        self._quota.reserve(reserved)
        self._narrowcasts[self._request_ids.uuid(order.request_number)] = narrowcast
        self._running.append(narrowcast)
        return narrowcast

    def deliver_due(self) -> None:
        """Finish what is over by now, in its order."""
        now = self._clock.now()
        for narrowcast in sorted(self._running, key=lambda running: running.completed_at):
            if now >= narrowcast.completed_at:
                self._running.remove(narrowcast)
                self._quota.reserve(-narrowcast.reserved)
                if narrowcast.failure is None:
                    self._sending.deliver(narrowcast.order, narrowcast.recipients, at=narrowcast.completed_at)

    def find(self, request_id: str) -> Narrowcast:
        """A narrowcast that was accepted in the last 14 days.

        Raises:
            NotFound: There is none.
        """
        narrowcast = self._narrowcasts.get(request_id)
        if narrowcast is None or self._clock.now() >= narrowcast.accepted_at + KNOWN_SECONDS:
            raise NotFound
        return narrowcast

    def is_running(self, request_id: str) -> bool:
        """Whether a request is a narrowcast that is not over."""
        return any(self._request_ids.uuid(one.order.request_number) == request_id for one in self._running)

    def _sent_to(self, request_id: str) -> Sequence[int]:
        try:
            narrowcast = self.find(request_id)
        except NotFound:
            raise InvalidRequest(f"Invalid request id: {request_id}") from None
        if narrowcast.phase(self._clock.now()) is not Phase.SUCCEEDED:
            raise InvalidRequest(f"Invalid request id: {request_id}")
        return narrowcast.recipients

    def _room(self, everybody: int, limit: dict[str, Any]) -> int:
        """How many messages it may need."""
        room = min(everybody, limit["max"]) if "max" in limit else everybody
        remaining = self._quota.remaining
        if limit.get("upToRemainingQuota") and remaining is not None:
            room = min(room, max(remaining, 1))
        return room

    def _choose(
        self, everybody: Sequence[int], chosen: Recipients | None, demographic: dict[str, Any] | None
    ) -> Sequence[int]:
        if chosen is None and demographic is None:
            return everybody
        matches = matcher(demographic) if demographic else None
        candidates = chosen.candidates(everybody) if chosen else everybody
        return [
            number
            for number in candidates
            if self._users.is_following(number)
            and (chosen is None or chosen.holds(number))
            and (matches is None or matches(self._demographics.person(number)))
        ]


def _failure(
    people: Sequence[int],
    chosen: Recipients | None,
    demographic: dict[str, Any] | None,
    room: int,
    limit: dict[str, Any],
) -> FailureCode | None:
    if (
        chosen
        and len(chosen.audiences) > 1
        and any(audience.is_restricted and len(audience.people) < FEWEST_RECIPIENTS for audience in chosen.audiences)
    ):
        return FailureCode.TOO_SMALL_AUDIENCE
    is_restricted = demographic is not None or (chosen is not None and chosen.is_restricted)
    if not people or (is_restricted and len(people) < FEWEST_RECIPIENTS):
        return FailureCode.TOO_FEW_RECIPIENTS
    if limit.get("forbidPartialDelivery") and len(people) > room:
        return FailureCode.ONLY_PART_OF_THEM
    return None


def describe(failure: FailureCode) -> str:
    """LINE's `failedDescription`; its texts are not published, these are ours."""
    return _DESCRIPTIONS[failure]
