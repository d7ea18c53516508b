"""Histories of the sandbox's own people, as webhook events: they follow, write, block and come back.

A function of the seed: the same seed, count and types give the same events, to the last webhookEventId. A history ends
as the sandbox begins: who follows the account has followed it last.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import count as count_up
from typing import TYPE_CHECKING, Any

from line_sandbox.chats.state import GROUPS, ROOMS
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.ulid import ulid
from line_sandbox.webhooks.generated_events import CHATTED, USUAL, WRITTEN
from line_sandbox.webhooks.scenarios import ChatStory, PersonStory, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from line_sandbox.platform import Platform
    from line_sandbox.webhooks.generated_events import Happening

# When the first history begins: fixed, since an event's id holds its time and may not depend on the day of the run.
_START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
_FORMER_EVERY = 20
_CHAT_EVERY = 10
_SEED_STRIDE = 7919
_LAP_MILLISECONDS = 30 * 24 * 3600 * 1000


class Histories:
    """The histories of a seed."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self._users = platform.users
        self._seed = seed
        self._around = Surroundings(
            users=platform.users,
            chats=platform.chats,
            contents=platform.contents,
            read_tokens=platform.read_tokens,
            account=platform.account,
        )

    def events(self, count: int, types: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """So many events, in the order of their times.

        Args:
            count: How many.
            types: Their types, also some that LINE does not have; None for those that a usual account sees.

        Raises:
            InvalidRequest: There is nothing to tell: no types, or no people.
        """
        wanted = frozenset(USUAL if types is None else types)
        if count and not (wanted and len(self._users)):
            raise InvalidRequest("histories need people and at least one type of event")
        happenings: list[Happening] = []
        stories = self._stories(sorted(wanted.difference(WRITTEN, CHATTED)))
        while len(happenings) < count:
            told = [happening for happening in next(stories) if happening.type in wanted]
            # The end of a history is what agrees with the sandbox, so that is what is kept of the last one.
            happenings += told[-(count - len(happenings)) :]
        happenings.sort(key=lambda happening: happening.at)
        chance = random.Random(f"{self._seed}:ids")  # noqa: S311 - chance, not secrecy
        return [_event(happening, chance.getrandbits(80)) for happening in happenings]

    def _stories(self, extras: Sequence[str]) -> Iterator[Iterator[Happening]]:
        """One story after the other, each of somebody else while there is anybody else."""
        users = self._users
        formers = users.first_newcomer - users.first_former
        people = users.first_former or len(users)
        for turn in count_up():
            chance = random.Random(f"{self._seed}:{turn}")  # noqa: S311 - chance, not secrecy
            # Everybody's second history comes after the first of all.
            lap = turn // people
            start = _START + lap * _LAP_MILLISECONDS
            if turn % _CHAT_EVERY == _CHAT_EVERY - 1:
                place = turn // _CHAT_EVERY
                story = ChatStory(self._around, place, start, self._draw(turn), chance)
                yield story.tell(is_new=place < GROUPS + ROOMS)
                continue
            is_former = bool(formers) and turn % _FORMER_EVERY == _FORMER_EVERY // 2
            place = turn + self._seed * _SEED_STRIDE
            number = users.first_former + place % formers if is_former else place % people
            yield PersonStory(self._around, number, start, self._draw(turn), chance).tell(
                is_new=lap == 0, ends_blocked=is_former, extras=extras
            )

    def _draw(self, turn: int) -> int:
        """Where the message ids of a story begin; no two stories of a seed share any."""
        return (self._seed * 10**9 + turn * 64) % 10**12


def _event(happening: Happening, randomness: int) -> dict[str, Any]:
    return {
        "type": happening.type,
        "mode": "active",
        "timestamp": happening.at,
        **happening.content,
        "webhookEventId": ulid(happening.at, randomness),
        "deliveryContext": {"isRedelivery": False},
    }
