"""What people do with messages: open them, tap their links, play their videos. A function of the seed and of time.

Source: LINE Messaging API reference, "Get user interaction statistics": figures grow for 14 days after the sending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UPDATED_DAYS = 14

_MEDIA = frozenset({"video", "audio"})
_OPENED = 0.6
_TAPPED = 0.35
_PLAYED = 0.5
_PLAYED_ON = {25: 0.8, 50: 0.6, 75: 0.5, 100: 0.4}
_TIMES_OPENED = 1.3
_TIMES_TAPPED = 1.2
_SPREAD = 0.4
_LINKS = ("uri", "linkUri")


@dataclass(frozen=True, slots=True)
class Bubble:
    """What matters of a message object."""

    has_media: bool
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BubbleFigures:
    """What people did with a bubble. `unique` figures count people, the others times."""

    impression: int
    unique_impression: int
    played: dict[int, int]
    """By the share of the length that was played, in percent; 0 is the start."""
    unique_played: dict[int, int]
    clicks: dict[str, tuple[int, int]]
    """By URL: times and people."""


def bubbles_of(messages: Sequence[dict[str, Any]]) -> tuple[Bubble, ...]:
    """What matters of a request's messages."""
    return tuple(Bubble(message["type"] in _MEDIA, tuple(dict.fromkeys(_urls(message)))) for message in messages)


class Engagement:
    """Draws the figures."""

    def __init__(self, seed: int) -> None:
        self._chance = SeededRandom(seed, "engagement")

    def figures(self, request_number: int, place: int, bubble: Bubble, delivered: int, days: float) -> BubbleFigures:
        """What people have done with a bubble.

        Args:
            request_number: The request that it was sent with.
            place: Its place there.
            bubble: The bubble.
            delivered: How many people got it.
            days: How long ago.
        """
        grown = 1 - 0.5 ** (2 * min(max(days, 0.0), UPDATED_DAYS))
        opened = int(delivered * grown * self._around(_OPENED, request_number, place, 0))
        started = int(opened * self._around(_PLAYED, request_number, place, 1)) if bubble.has_media else 0
        unique_played = {0: started} | {part: int(started * share) for part, share in _PLAYED_ON.items()}
        clicks = {}
        for number, url in enumerate(bubble.urls):
            people = int(opened * self._around(_TAPPED, request_number, place, 2 + number))
            clicks[url] = (int(people * _TIMES_TAPPED), people)
        return BubbleFigures(
            impression=int(opened * _TIMES_OPENED),
            unique_impression=opened,
            played={part: int(people * _TIMES_TAPPED) for part, people in unique_played.items()},
            unique_played=unique_played,
            clicks=clicks,
        )

    def _around(self, mean: float, request_number: int, place: int, figure: int) -> float:
        draw = self._chance.fraction((request_number * 8 + place) * 1024 + figure)
        return mean * (1 - _SPREAD / 2 + _SPREAD * draw)


def _urls(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _LINKS and isinstance(item, str) and item.startswith("http"):
                yield item
            else:
                yield from _urls(item)
    elif isinstance(value, list):
        for item in value:
            yield from _urls(item)
