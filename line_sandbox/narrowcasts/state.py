"""Narrowcasts: LINE accepts them immediately and sends them later.

Source: LINE Messaging API reference, "Send narrowcast message", "Get narrowcast message status".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.messages.delivery_recorder import DeliveryRecorder
    from line_sandbox.messages.retry_keys import RetryKeys
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.narrowcasts.recipient_selection import NarrowcastTarget, RecipientSelector
    from line_sandbox.usage.monthly_quota import MonthlyQuota
    from line_sandbox.users.user_set import UserSet

WAITING_SECONDS = 5.0
SENDING_SECONDS = 5.0
RETENTION_SECONDS = 14 * 24 * 3600
MIN_RECIPIENTS = 50


class NarrowcastPhase(StrEnum):
    """LINE's phases of a narrowcast."""

    WAITING = "waiting"
    SENDING = "sending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class NarrowcastFailure(StrEnum):
    """LINE's error codes of failed narrowcasts."""

    INTERNAL = "1"
    TOO_FEW_RECIPIENTS = "2"
    AUDIENCE_TOO_SMALL = "4"
    PARTIAL_DELIVERY = "5"

    @property
    def description(self) -> str:
        """`failedDescription`. LINE does not document its texts; these are the sandbox's own."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    NarrowcastFailure.INTERNAL: "The messages could not be reserved from the monthly quota",
    NarrowcastFailure.TOO_FEW_RECIPIENTS: "Not enough recipients",
    NarrowcastFailure.AUDIENCE_TOO_SMALL: "Audience with not enough recipients",
    NarrowcastFailure.PARTIAL_DELIVERY: "Canceled to prevent partial delivery",
}


@dataclass(slots=True)
class Narrowcast:
    """One narrowcast; times are in seconds since 1970."""

    request: SendRequest
    target: NarrowcastTarget
    limit: dict[str, Any]
    """LINE's limit object."""
    accepted_at: float
    is_started: bool = False
    reserved: int = 0
    """Messages of the quota that are reserved until sending ends."""
    recipients: Sequence[int] = ()
    """Chosen when sending starts."""
    followers: UserSet | None = None
    """The followers when sending starts."""
    failure: NarrowcastFailure | None = None
    """Known when sending starts."""
    failure_count: int = 0
    """Recipients who stopped following the account before sending ended."""

    @property
    def starts_at(self) -> float:
        """When sending starts, or when the narrowcast fails."""
        return self.accepted_at + WAITING_SECONDS

    @property
    def completed_at(self) -> float:
        """When the narrowcast succeeds or fails."""
        return self.starts_at + (0 if self.failure else SENDING_SECONDS)

    @property
    def due_at(self) -> float:
        """When the next step is due: the start or the end of sending."""
        return self.completed_at if self.is_started else self.starts_at

    def fraction_sent(self, now: float) -> float:
        """Return how much is sent at `now`, from 0 to 1."""
        if self.failure:
            return 0.0
        return min(1.0, max(0.0, (now - self.starts_at) / SENDING_SECONDS))

    def phase(self, now: float) -> NarrowcastPhase:
        """Return the phase at `now`."""
        if now < self.starts_at:
            return NarrowcastPhase.WAITING
        if self.failure:
            return NarrowcastPhase.FAILED
        return NarrowcastPhase.SENDING if now < self.completed_at else NarrowcastPhase.SUCCEEDED


class Narrowcasts:
    """The account's narrowcasts."""

    def __init__(  # noqa: PLR0913 - the steps of a narrowcast, all by keyword
        self,
        *,
        selector: RecipientSelector,
        retry_keys: RetryKeys,
        quota: MonthlyQuota,
        deliveries: DeliveryRecorder,
        request_ids: SeededRandom,
        clock: Clock,
    ) -> None:
        self._selector = selector
        self._retry_keys = retry_keys
        self._quota = quota
        self._deliveries = deliveries
        self._request_ids = request_ids
        self._clock = clock
        self._narrowcasts: dict[str, Narrowcast] = {}
        self._in_progress: list[Narrowcast] = []

    def accept(
        self,
        request: SendRequest,
        recipient: dict[str, Any] | None,
        demographic: dict[str, Any] | None,
        limit: dict[str, Any],
    ) -> None:
        """Accept a narrowcast; `deliver_due` sends it later.

        Args:
            request: The messages to send.
            recipient: LINE's recipient object; None for all followers.
            demographic: LINE's demographic filter object; None for no filter.
            limit: LINE's limit object.

        Raises:
            AlreadyAccepted: A request with the same retry key was accepted.
            Forbidden: The account has too few followers for a demographic filter.
            InvalidRequest: An audience or an earlier narrowcast cannot be used, or options cannot be combined.
            TooManyRequests: The monthly quota is used up.
        """
        self._retry_keys.check(request)
        if limit.get("forbidPartialDelivery") and not limit.get("upToRemainingQuota"):
            raise InvalidRequest("The option forbidPartialDelivery must be used with upToRemainingQuota.")
        now = self._clock.now()
        target = self._selector.resolve(recipient, demographic, self._recipients_of, now)
        self._quota.check(1)
        narrowcast = Narrowcast(request, target, limit, now)
        self._reserve(narrowcast)
        self._retry_keys.record(request)
        self._narrowcasts[self._request_ids.uuid(request.number)] = narrowcast
        self._in_progress.append(narrowcast)

    def deliver_due(self) -> None:
        """Start and complete the narrowcasts that are due, in the order of their times."""
        now = self._clock.now()
        while self._in_progress:
            narrowcast = min(self._in_progress, key=lambda narrowcast: narrowcast.due_at)
            if now < narrowcast.due_at:
                return
            if narrowcast.is_started:
                self._complete(narrowcast)
            else:
                self._start(narrowcast)

    def _start(self, narrowcast: Narrowcast) -> None:
        """Choose the recipients. LINE fails a narrowcast without room in the quota now, not at its request."""
        narrowcast.is_started = True
        narrowcast.followers = self._selector.followers()
        users = self._selector.matching_users(narrowcast.target)
        if narrowcast.reserved or self._reserve(narrowcast):
            maximum = narrowcast.reserved
            narrowcast.failure = _failure(narrowcast.target, users, maximum, narrowcast.limit)
            if len(users) > maximum:
                users = self._selector.sample(users, maximum, narrowcast.request.number)
        else:
            narrowcast.failure = NarrowcastFailure.INTERNAL
        narrowcast.recipients = users

    def _reserve(self, narrowcast: Narrowcast) -> bool:
        """Reserve the messages of a narrowcast if the quota has room for them; return whether it has."""
        maximum = self._max_messages(len(self._selector.followers()), narrowcast.limit)
        remaining = self._quota.remaining
        has_room = remaining is None or maximum <= remaining
        if has_room:
            narrowcast.reserved = maximum
            self._quota.reserve(maximum)
        return has_room

    def _complete(self, narrowcast: Narrowcast) -> None:
        self._in_progress.remove(narrowcast)
        self._quota.reserve(-narrowcast.reserved)
        if narrowcast.failure:
            return
        reached = narrowcast.recipients
        if self._selector.followers() is not narrowcast.followers:
            reached = self._selector.followers_among(reached)
            narrowcast.failure_count = len(narrowcast.recipients) - len(reached)
        self._deliveries.record(narrowcast.request, reached, narrowcast.completed_at)

    def find(self, request_id: str) -> Narrowcast:
        """Return a narrowcast that was accepted in the last 14 days.

        Raises:
            NotFound: There is no such narrowcast.
        """
        narrowcast = self._narrowcasts.get(request_id)
        if narrowcast is None or self._clock.now() >= narrowcast.accepted_at + RETENTION_SECONDS:
            raise NotFound
        return narrowcast

    def _recipients_of(self, request_id: str) -> Sequence[int]:
        try:
            narrowcast = self.find(request_id)
        except NotFound:
            raise InvalidRequest(f"Invalid request id: {request_id}") from None
        if narrowcast.phase(self._clock.now()) is not NarrowcastPhase.SUCCEEDED:
            raise InvalidRequest(f"Invalid request id: {request_id}")
        return narrowcast.recipients

    def _max_messages(self, followers: int, limit: dict[str, Any]) -> int:
        """Return the maximum number of messages, which is to be reserved from the quota."""
        maximum = min(followers, limit["max"]) if "max" in limit else followers
        remaining = self._quota.remaining
        if limit.get("upToRemainingQuota") and remaining is not None:
            maximum = min(maximum, max(remaining, 1))
        return maximum


def _failure(
    target: NarrowcastTarget, users: Sequence[int], maximum: int, limit: dict[str, Any]
) -> NarrowcastFailure | None:
    audiences = target.recipient.audiences if target.recipient else []
    if len(audiences) > 1 and any(
        audience.is_restricted and len(audience.members) < MIN_RECIPIENTS for audience in audiences
    ):
        return NarrowcastFailure.AUDIENCE_TOO_SMALL
    if not users or (target.is_restricted and len(users) < MIN_RECIPIENTS):
        return NarrowcastFailure.TOO_FEW_RECIPIENTS
    if limit.get("forbidPartialDelivery") and len(users) > maximum:
        return NarrowcastFailure.PARTIAL_DELIVERY
    return None
