"""Statistics of what was sent: by request for narrowcasts and broadcasts, by unit for pushes and multicasts.

Source: LINE Messaging API reference, "Get user interaction statistics", "Get statistics per unit".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from line_sandbox.foundation.clock import Clock, line_date
from line_sandbox.insight.engagement import Bubble, Engagement, bubbles_of
from line_sandbox.messages.counters import Way

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.insight.engagement import BubbleFigures
    from line_sandbox.messages.sending import Order

_BY_REQUEST = (Way.NARROWCAST, Way.BROADCAST)
_DAY = 24 * 3600
_MOST_KINDS_A_DAY = 200


@dataclass(slots=True)
class BubbleTotals:
    """The figures of all bubbles that stand at the same place."""

    impression: int = 0
    unique_impression: int = 0
    played: Counter[int] = field(default_factory=Counter)
    unique_played: Counter[int] = field(default_factory=Counter)
    clicks: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, figures: BubbleFigures) -> None:
        """Add one bubble's."""
        self.impression += figures.impression
        self.unique_impression += figures.unique_impression
        self.played.update(figures.played)
        self.unique_played.update(figures.unique_played)
        for url, (times, people) in figures.clicks.items():
            before = self.clicks.get(url, (0, 0))
            self.clicks[url] = (before[0] + times, before[1] + people)


@dataclass(frozen=True, slots=True)
class RequestStatistics:
    """What came of a narrowcast or broadcast."""

    request_id: str
    sent_at: float
    """Seconds since 1970."""
    delivered: int
    bubbles: list[BubbleTotals]
    recipients: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Sent:
    request_number: int
    at: float
    delivered: int
    bubbles: tuple[Bubble, ...]
    recipients: Sequence[int] = ()
    """Whom it went to; remembered for narrowcasts and broadcasts."""


class Statistics:
    """What was sent, and what came of it."""

    def __init__(self, seed: int, clock: Clock, request_ids: SeededRandom) -> None:
        self._engagement = Engagement(seed)
        self._clock = clock
        self._request_ids = request_ids
        self._requests: dict[str, _Sent] = {}
        self._units: dict[str, dict[date, dict[tuple[Bubble, ...], _Sent]]] = {}

    def sent(self, order: Order, units: Sequence[str], recipients: Sequence[int], delivered: int, at: float) -> None:
        """Remember what was sent, as far as LINE has statistics of it."""
        if order.way in _BY_REQUEST:
            sent = _Sent(order.request_number, at, delivered, bubbles_of(order.messages), recipients)
            self._requests[self._request_ids.uuid(order.request_number)] = sent
        for unit in units:
            day = self._units.setdefault(unit, {}).setdefault(line_date(at), {})
            kind = bubbles_of(order.messages)
            if kind not in day and len(day) >= _MOST_KINDS_A_DAY:
                # Links that differ from person to person would be remembered for each.
                kind = tuple(Bubble(bubble.has_media, ()) for bubble in kind)
            before = day.get(kind)
            day[kind] = _Sent(
                before.request_number if before else order.request_number,
                before.at if before else at,
                delivered + (before.delivered if before else 0),
                kind,
            )

    def of_request(self, request_id: str) -> RequestStatistics | None:
        """What came of a narrowcast or broadcast; None if there is no such request."""
        sent = self._requests.get(request_id)
        if sent is None:
            return None
        return RequestStatistics(request_id, sent.at, sent.delivered, self._totals([sent]), sent.recipients)

    def of_unit(self, unit: str, first: date, last: date) -> list[BubbleTotals]:
        """What came of everything that was sent under a unit's name on some days; empty if nothing was sent."""
        days = self._units.get(unit, {})
        return self._totals([sent for day, kinds in days.items() if first <= day <= last for sent in kinds.values()])

    def _totals(self, sent: Sequence[_Sent]) -> list[BubbleTotals]:
        now = self._clock.now()
        totals: list[BubbleTotals] = []
        for one in sent:
            days = (now - one.at) / _DAY
            for place, bubble in enumerate(one.bubbles):
                if place == len(totals):
                    totals.append(BubbleTotals())
                totals[place].add(self._engagement.figures(one.request_number, place, bubble, one.delivered, days))
        return totals
