"""Requests that LINE refuses or keeps answering with 429: is the request at fault, the method, or the account? Pure.

LINE answers 403 for one message (a narrowcast with too few recipients, a group that the bot has left), for a send
method, and for an account that may send nothing; the answers do not differ. So a request that LINE refused is held
until other requests show which it was: if LINE accepts others, it is at fault alone. Otherwise its messages stay
scheduled.

Source: LINE Messaging API reference, "Send narrowcast message", "Send push message", "Status codes".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_line.sending.claim.request_body import SendMethod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.api.errors import ApiError
    from target_line.sending.claim.outcomes import ClaimedRequest

# So many refusals of a method of which LINE accepted nothing are not chance. LINE refuses narrowcasts one by one.
_REFUSALS_OF_A_METHOD = {SendMethod.PUSH: 100, SendMethod.MULTICAST: 1, SendMethod.BROADCAST: 3}


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A request that LINE has certainly not accepted, and whose outcome depends on other requests."""

    request: ClaimedRequest
    error: ApiError
    attempts: int
    is_refused: bool
    """Whether LINE refused it (403, 404). Otherwise LINE answered 429 at every attempt."""


class Refusals:
    """The held requests of one run."""

    def __init__(self) -> None:
        self._held: defaultdict[SendMethod, list[HeldRequest]] = defaultdict(list)
        self._accepted: Counter[SendMethod] = Counter()

    def hold(self, held: HeldRequest) -> list[HeldRequest]:
        """Hold a request. Return the held requests that are at fault alone, as LINE has accepted others."""
        self._held[held.request.method].append(held)
        return self._take_individual([held.request.method])

    def count_accepted(self, method: SendMethod) -> list[HeldRequest]:
        """Count a request that LINE accepted. Return the held requests that are therefore at fault alone."""
        self._accepted[method] += 1
        return self._take_individual(list(self._held)) if self._held else []

    def is_method_refused(self, method: SendMethod) -> bool:
        """Return whether LINE refuses all requests of a method."""
        limit = _REFUSALS_OF_A_METHOD.get(method)
        refused = sum(held.is_refused for held in self._held.get(method, ()))
        return limit is not None and refused >= limit and not self._accepted[method]

    def take_rest(self) -> list[HeldRequest]:
        """Return the requests that are still held at the end of the run: nothing shows that they are at fault alone."""
        rest = [held for requests in self._held.values() for held in requests]
        self._held.clear()
        return rest

    def _take_individual(self, methods: Iterable[SendMethod]) -> list[HeldRequest]:
        individual = []
        for method in methods:
            if self._accepted[method] or (self._accepted and not self.is_method_refused(method)):
                individual += self._held.pop(method)
        return individual
