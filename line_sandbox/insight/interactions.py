"""Simulated interactions of users with messages: opens, link clicks, media plays. Computed from the seed and time.

Source: LINE Messaging API reference, "Get user interaction statistics": LINE updates the statistics for 14 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UPDATED_DAYS = 14

_MEDIA_TYPES = frozenset({"video", "audio"})
_LINK_PROPERTIES = ("uri", "linkUri")
_OPENED_FRACTION = 0.6
_CLICKED_FRACTION = 0.35
_PLAYED_FRACTION = 0.5
_FRACTION_PLAYED_TO = {25: 0.8, 50: 0.6, 75: 0.5, 100: 0.4}
_IMPRESSIONS_PER_USER = 1.3
_ACTIONS_PER_USER = 1.2
_VARIATION = 0.4


@dataclass(frozen=True, slots=True)
class MessageBubble:
    """The properties of a message object that interactions depend on."""

    has_media: bool
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BubbleInteractions:
    """Interactions with one bubble. `unique_*` fields count users, the others count events."""

    impression: int
    unique_impression: int
    played: dict[int, int]
    """Plays by the percentage of the media that was played; 0 is the start."""
    unique_played: dict[int, int]
    clicks: dict[str, tuple[int, int]]
    """Clicks and users who clicked, by URL."""


def bubbles_of(messages: Sequence[dict[str, Any]]) -> tuple[MessageBubble, ...]:
    """Return the bubble of each message object."""
    return tuple(
        MessageBubble(message["type"] in _MEDIA_TYPES, tuple(dict.fromkeys(_urls(message)))) for message in messages
    )


class InteractionSimulator:
    """Computes the interactions with sent messages."""

    def __init__(self, seed: int) -> None:
        self._random = SeededRandom(seed, "engagement")

    def interactions(
        self, request_number: int, index: int, bubble: MessageBubble, delivered: int, days: float
    ) -> BubbleInteractions:
        """Return the interactions with a bubble so far.

        Args:
            request_number: Number of the send request.
            index: Index of the bubble in the request.
            bubble: The bubble.
            delivered: Number of users who received it.
            days: Days since it was delivered.
        """
        progress = 1 - 0.5 ** (2 * min(max(days, 0.0), UPDATED_DAYS))
        opened = int(delivered * progress * self._vary(_OPENED_FRACTION, request_number, index, 0))
        started = int(opened * self._vary(_PLAYED_FRACTION, request_number, index, 1)) if bubble.has_media else 0
        unique_played = {0: started} | {
            percentage: int(started * fraction) for percentage, fraction in _FRACTION_PLAYED_TO.items()
        }
        clicks = {}
        for number, url in enumerate(bubble.urls):
            users = int(opened * self._vary(_CLICKED_FRACTION, request_number, index, 2 + number))
            clicks[url] = (int(users * _ACTIONS_PER_USER), users)
        return BubbleInteractions(
            impression=int(opened * _IMPRESSIONS_PER_USER),
            unique_impression=opened,
            played={percentage: int(users * _ACTIONS_PER_USER) for percentage, users in unique_played.items()},
            unique_played=unique_played,
            clicks=clicks,
        )

    def _vary(self, mean: float, request_number: int, index: int, figure: int) -> float:
        """Return a value within ±20 % of the mean; each figure of each bubble has its own."""
        draw = self._random.fraction((request_number * 8 + index) * 1024 + figure)
        return mean * (1 - _VARIATION / 2 + _VARIATION * draw)


def _urls(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _LINK_PROPERTIES and isinstance(item, str) and item.startswith("http"):
                yield item
            else:
                yield from _urls(item)
    elif isinstance(value, list):
        for item in value:
            yield from _urls(item)
