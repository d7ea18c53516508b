"""Statistics of sent messages: by request for narrowcasts and broadcasts, by unit for pushes and multicasts.

Source: LINE Messaging API reference, "Get user interaction statistics", "Get statistics per unit".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.clock import Clock, line_date
from line_sandbox.insight.interactions import InteractionSimulator, MessageBubble, bubbles_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from line_sandbox.insight.interactions import BubbleInteractions

_SECONDS_PER_DAY = 24 * 3600
_MAX_DISTINCT_CONTENTS_PER_DAY = 200


@dataclass(slots=True)
class BubbleTotals:
    """Sums over all bubbles at the same index of their requests."""

    impression: int = 0
    unique_impression: int = 0
    played: Counter[int] = field(default_factory=Counter)
    unique_played: Counter[int] = field(default_factory=Counter)
    clicks: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, interactions: BubbleInteractions) -> None:
        """Add the interactions of one bubble."""
        self.impression += interactions.impression
        self.unique_impression += interactions.unique_impression
        self.played.update(interactions.played)
        self.unique_played.update(interactions.unique_played)
        for url, (clicks, users) in interactions.clicks.items():
            before = self.clicks.get(url, (0, 0))
            self.clicks[url] = (before[0] + clicks, before[1] + users)


@dataclass(frozen=True, slots=True)
class RequestStatistics:
    """Statistics of a narrowcast or broadcast."""

    request_id: str
    sent_at: float
    """Seconds since 1970."""
    delivered: int
    bubbles: list[BubbleTotals]
    recipients: Sequence[int]


@dataclass(frozen=True, slots=True)
class _SentMessages:
    request_number: int
    sent_at: float
    delivered: int
    bubbles: tuple[MessageBubble, ...]
    recipients: Sequence[int] = ()
    """User numbers; stored for narrowcasts and broadcasts only."""


class MessageStatistics:
    """Records sent messages and computes their statistics."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._simulator = InteractionSimulator(seed)
        self._clock = clock
        self._requests: dict[str, _SentMessages] = {}
        self._units: dict[str, dict[date, dict[tuple[MessageBubble, ...], _SentMessages]]] = {}

    def record_request(
        self,
        request_id: str,
        request_number: int,
        messages: Sequence[dict[str, Any]],
        recipients: Sequence[int],
        sent_at: float,
    ) -> None:
        """Record a broadcast or narrowcast; LINE has statistics for each of these requests."""
        self._requests[request_id] = _SentMessages(
            request_number, sent_at, len(recipients), bubbles_of(messages), recipients
        )

    def record_units(
        self,
        units: Sequence[str],
        request_number: int,
        messages: Sequence[dict[str, Any]],
        delivered: int,
        sent_at: float,
    ) -> None:
        """Record a push or multicast under its aggregation units."""
        for unit in units:
            contents = self._units.setdefault(unit, {}).setdefault(line_date(sent_at), {})
            bubbles = bubbles_of(messages)
            if bubbles not in contents and len(contents) >= _MAX_DISTINCT_CONTENTS_PER_DAY:
                # Limits the memory for messages with personal links: from here on, links are not counted.
                bubbles = tuple(MessageBubble(bubble.has_media, ()) for bubble in bubbles)
            before = contents.get(bubbles)
            contents[bubbles] = _SentMessages(
                before.request_number if before else request_number,
                before.sent_at if before else sent_at,
                delivered + (before.delivered if before else 0),
                bubbles,
            )

    def of_request(self, request_id: str) -> RequestStatistics | None:
        """Return the statistics of a narrowcast or broadcast; None if no such request was delivered."""
        sent = self._requests.get(request_id)
        if sent is None:
            return None
        return RequestStatistics(request_id, sent.sent_at, sent.delivered, self._totals([sent]), sent.recipients)

    def of_unit(self, unit: str, first: date, last: date) -> list[BubbleTotals]:
        """Return the statistics of a unit's messages from the day `first` to `last`, by bubble index."""
        days = self._units.get(unit, {})
        return self._totals(
            [sent for day, contents in days.items() if first <= day <= last for sent in contents.values()]
        )

    def _totals(self, sent: Sequence[_SentMessages]) -> list[BubbleTotals]:
        now = self._clock.now()
        totals: list[BubbleTotals] = []
        for entry in sent:
            days = (now - entry.sent_at) / _SECONDS_PER_DAY
            for index, bubble in enumerate(entry.bubbles):
                if index == len(totals):
                    totals.append(BubbleTotals())
                totals[index].add(
                    self._simulator.interactions(entry.request_number, index, bubble, entry.delivered, days)
                )
        return totals
