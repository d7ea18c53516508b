"""Writes statistics as LINE does: what fewer than twenty people did is null.

Source: LINE Messaging API reference, "Get user interaction statistics", "Get statistics per unit".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.insight.statistics import BubbleTotals, RequestStatistics

FEWEST_PEOPLE = 20

_PARTS = (25, 50, 75, 100)


def request_figures(statistics: RequestStatistics) -> dict[str, Any]:
    """The answer for a narrowcast or broadcast."""
    overview = {
        "requestId": statistics.request_id,
        "timestamp": int(statistics.sent_at),
        "delivered": statistics.delivered,
        **_overview(statistics.bubbles),
    }
    return {"overview": overview, **_details(statistics.bubbles, tells_unique_impression=False)}


def unit_figures(bubbles: Sequence[BubbleTotals]) -> dict[str, Any]:
    """The answer for a unit."""
    return {"overview": _overview(bubbles), **_details(bubbles, tells_unique_impression=True)}


def _overview(bubbles: Sequence[BubbleTotals]) -> dict[str, int | None]:
    # Whoever opened any bubble opened the one that most people opened.
    people_of = {
        "uniqueImpression": [bubble.unique_impression for bubble in bubbles],
        "uniqueClick": [people for bubble in bubbles for _, people in bubble.clicks.values()],
        "uniqueMediaPlayed": [bubble.unique_played[0] for bubble in bubbles],
        "uniqueMediaPlayed100Percent": [bubble.unique_played[100] for bubble in bubbles],
    }
    return {name: _shown(max(people, default=0)) for name, people in people_of.items()}


def _details(bubbles: Sequence[BubbleTotals], *, tells_unique_impression: bool) -> dict[str, Any]:
    if not any(bubble.unique_impression >= FEWEST_PEOPLE for bubble in bubbles):
        return {"messages": [], "clicks": []}
    messages = []
    for seq, bubble in enumerate(bubbles, start=1):
        told: dict[str, int | None] = {"seq": seq, "impression": _shown(bubble.impression, bubble.unique_impression)}
        if tells_unique_impression:
            told["uniqueImpression"] = _shown(bubble.unique_impression)
        told["mediaPlayed"] = _shown(bubble.played[0], bubble.unique_played[0])
        for part in _PARTS:
            told[f"mediaPlayed{part}Percent"] = _shown(bubble.played[part], bubble.unique_played[part])
        told["uniqueMediaPlayed"] = _shown(bubble.unique_played[0])
        for part in _PARTS:
            told[f"uniqueMediaPlayed{part}Percent"] = _shown(bubble.unique_played[part])
        messages.append(told)
    anywhere: dict[str, int] = {}
    for bubble in bubbles:
        for url, (_, people) in bubble.clicks.items():
            anywhere[url] = max(anywhere.get(url, 0), people)
    clicks = [
        {
            "seq": seq,
            "url": url,
            "click": _shown(times, people),
            "uniqueClick": _shown(people),
            "uniqueClickOfRequest": _shown(anywhere[url]),
        }
        for seq, bubble in enumerate(bubbles, start=1)
        for url, (times, people) in bubble.clicks.items()
    ]
    return {"messages": messages, "clicks": clicks}


def _shown(figure: int, people: int | None = None) -> int | None:
    """A figure, unless it or the people behind it are too few."""
    return figure if min(figure, figure if people is None else people) >= FEWEST_PEOPLE else None
