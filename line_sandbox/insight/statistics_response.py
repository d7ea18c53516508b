"""Formats message statistics as LINE does. Figures of fewer than 20 users are null.

Source: LINE Messaging API reference, "Get user interaction statistics", "Get statistics per unit".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.insight.message_statistics import BubbleTotals, RequestStatistics

MIN_USERS = 20

_PERCENTAGES = (25, 50, 75, 100)


def request_response(statistics: RequestStatistics) -> dict[str, Any]:
    """Return the response for a narrowcast or broadcast."""
    overview = {
        "requestId": statistics.request_id,
        "timestamp": int(statistics.sent_at),
        "delivered": statistics.delivered,
        **_overview(statistics.bubbles),
    }
    return {"overview": overview, **_details(statistics.bubbles, with_unique_impression=False)}


def unit_response(bubbles: Sequence[BubbleTotals]) -> dict[str, Any]:
    """Return the response for an aggregation unit."""
    return {"overview": _overview(bubbles), **_details(bubbles, with_unique_impression=True)}


def _overview(bubbles: Sequence[BubbleTotals]) -> dict[str, int | None]:
    # Each unique figure is the maximum over the bubbles: the simulation assumes that the same users interact with all.
    users = {
        "uniqueImpression": [bubble.unique_impression for bubble in bubbles],
        "uniqueClick": [users for bubble in bubbles for _, users in bubble.clicks.values()],
        "uniqueMediaPlayed": [bubble.unique_played[0] for bubble in bubbles],
        "uniqueMediaPlayed100Percent": [bubble.unique_played[100] for bubble in bubbles],
    }
    return {name: _null_if_few(max(counts, default=0)) for name, counts in users.items()}


def _details(bubbles: Sequence[BubbleTotals], *, with_unique_impression: bool) -> dict[str, Any]:
    if not any(bubble.unique_impression >= MIN_USERS for bubble in bubbles):
        return {"messages": [], "clicks": []}
    messages = [
        _message(seq, bubble, with_unique_impression=with_unique_impression)
        for seq, bubble in enumerate(bubbles, start=1)
    ]
    return {"messages": messages, "clicks": _clicks(bubbles)}


def _message(seq: int, bubble: BubbleTotals, *, with_unique_impression: bool) -> dict[str, int | None]:
    message = {"seq": seq, "impression": _null_if_few(bubble.impression, bubble.unique_impression)}
    if with_unique_impression:
        message["uniqueImpression"] = _null_if_few(bubble.unique_impression)
    message["mediaPlayed"] = _null_if_few(bubble.played[0], bubble.unique_played[0])
    for percentage in _PERCENTAGES:
        figure = _null_if_few(bubble.played[percentage], bubble.unique_played[percentage])
        message[f"mediaPlayed{percentage}Percent"] = figure
    message["uniqueMediaPlayed"] = _null_if_few(bubble.unique_played[0])
    for percentage in _PERCENTAGES:
        message[f"uniqueMediaPlayed{percentage}Percent"] = _null_if_few(bubble.unique_played[percentage])
    return message


def _clicks(bubbles: Sequence[BubbleTotals]) -> list[dict[str, Any]]:
    users_of_request: dict[str, int] = {}
    for bubble in bubbles:
        for url, (_, users) in bubble.clicks.items():
            users_of_request[url] = max(users_of_request.get(url, 0), users)
    return [
        {
            "seq": seq,
            "url": url,
            "click": _null_if_few(clicks, users),
            "uniqueClick": _null_if_few(users),
            "uniqueClickOfRequest": _null_if_few(users_of_request[url]),
        }
        for seq, bubble in enumerate(bubbles, start=1)
        for url, (clicks, users) in bubble.clicks.items()
    ]


def _null_if_few(figure: int, users: int | None = None) -> int | None:
    """Return the figure, or None if it or the number of users behind it is below `MIN_USERS`."""
    return figure if min(figure, figure if users is None else users) >= MIN_USERS else None
