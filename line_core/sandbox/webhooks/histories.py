"""Histories of the sandbox's own users, as webhook events: they follow, write, block and come back.

A function of the seed: the same seed and count give the same events, to the last webhookEventId. A history ends as the
sandbox's world begins: who follows at first has followed last.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.sandbox.webhooks.happenings import SCRIPTED, Happening, Story
from line_core.sandbox.webhooks.ulid import ulid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from line_core.sandbox.platform.accounts import Account
    from line_core.sandbox.platform.users import Users

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first history begins: fixed, since event ids hold their time and must not depend on the day of the run."""

_FORMER_EVERY = 20


class Histories:
    """The histories of a seed."""

    def __init__(self, users: Users, account: Account, seed: int) -> None:
        self._users = users
        self._account = account
        self._seed = seed

    def events(self, count: int, types: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """So many events, in the order of their times.

        Args:
            count: How many.
            types: Their types; None for those that a usual account sees.
        """
        wanted = frozenset(types if types is not None else SCRIPTED)
        happenings: list[Happening] = []
        for story in self._stories():
            told = [happening for happening in story.tell(wanted) if happening.type in wanted]
            # The end of a history is what agrees with the sandbox, so that is what is kept of the last one.
            left = count - len(happenings)
            happenings += told[-left:] if left else []
            if len(happenings) >= count:
                break
        happenings.sort(key=lambda happening: happening.at)
        chance = random.Random(f"{self._seed}:ids")  # noqa: S311 - chance, not secrecy
        return [
            {
                "type": happening.type,
                "mode": "active",
                "timestamp": happening.at,
                **happening.content,
                "webhookEventId": ulid(happening.at, chance.getrandbits(80)),
                "deliveryContext": {"isRedelivery": False},
            }
            for happening in happenings
        ]

    def _stories(self) -> Iterator[Story]:
        """One story after the other, each of somebody else while there is anybody else."""
        users = self._users
        start = int(START.timestamp() * 1000)
        formers = users.first_newcomer - users.first_former
        turn = 0
        while True:
            is_former = bool(formers) and turn % _FORMER_EVERY == _FORMER_EVERY - 1
            place = (turn // _FORMER_EVERY if is_former else turn) + self._seed * 7919
            number = users.first_former + place % formers if is_former else place % max(1, users.first_former)
            chance = random.Random(f"{self._seed}:{turn}")  # noqa: S311 - chance, not secrecy
            # Everybody's second history comes after the first of all.
            lap = turn // max(1, users.first_former)
            yield Story(users.line_id(number), start, lap, ends_blocked=is_former, chance=chance, account=self._account)
            turn += 1
