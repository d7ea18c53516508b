"""Generates webhook events from scenarios: the sandbox's users follow, send messages, block and unblock the account.

The events depend only on the seed, the count and the types, including every webhookEventId. The last events of each
user agree with the user's state when the sandbox starts: the last event of a follower is not `unfollow`.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import count as count_up
from typing import TYPE_CHECKING, Any

from line_sandbox.chats.state import GROUPS, ROOMS
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.ulid import ulid
from line_sandbox.webhooks.generated_events import CHAT_TYPES, DEFAULT_TYPES, USER_TYPES
from line_sandbox.webhooks.scenarios import ChatScenario, UserScenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from line_sandbox.webhooks.environment import Environment
    from line_sandbox.webhooks.generated_events import GeneratedEvent

_START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""Start of the first scenarios in milliseconds since 1970. It is fixed, because event ids contain the time."""
_BLOCKED_USER_INTERVAL = 20
"""One scenario of this many is about a user who has blocked the account."""
_CHAT_INTERVAL = 10
"""One scenario of this many is about a group or room."""
_SEED_STRIDE = 7919
_CYCLE_MILLISECONDS = 30 * 24 * 3600 * 1000


class EventGenerator:
    """Generates the events of a seed."""

    def __init__(self, environment: Environment, seed: int) -> None:
        self._environment = environment
        self._users = environment.users
        self._seed = seed

    def events(self, count: int, types: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return `count` events in the order of their timestamps.

        Args:
            count: Number of events.
            types: Event types, including types unknown to LINE; None for the default types.

        Raises:
            InvalidRequest: There are no types or no users.
        """
        wanted = frozenset(DEFAULT_TYPES if types is None else types)
        if count and not (wanted and len(self._users)):
            raise InvalidRequest("generated events need users and at least one type of event")
        generated: list[GeneratedEvent] = []
        scenarios = self._scenarios(sorted(wanted.difference(USER_TYPES, CHAT_TYPES)))
        while len(generated) < count:
            events = [event for event in next(scenarios) if event.type in wanted]
            # Of the last scenario, keep the end: it agrees with the state of the sandbox.
            generated += events[-(count - len(generated)) :]
        generated.sort(key=lambda event: event.timestamp)
        rng = random.Random(f"{self._seed}:ids")  # noqa: S311 - simulation, not cryptography
        return [_webhook_event(event, rng.getrandbits(80)) for event in generated]

    def _scenarios(self, extra_types: Sequence[str]) -> Iterator[Iterator[GeneratedEvent]]:
        """Yield the events of one scenario after another. Each is about another user until all users had one."""
        users = self._users
        blocked_users = users.initial_users - users.initial_followers
        user_count = users.initial_followers or len(users)
        for turn in count_up():
            rng = random.Random(f"{self._seed}:{turn}")  # noqa: S311 - simulation, not cryptography
            # A user's second scenario starts after the first scenarios of all users.
            cycle = turn // user_count
            start = _START + cycle * _CYCLE_MILLISECONDS
            if turn % _CHAT_INTERVAL == _CHAT_INTERVAL - 1:
                index = turn // _CHAT_INTERVAL
                chat_scenario = ChatScenario(self._environment, index, start, self._first_message(turn), rng)
                yield chat_scenario.events(is_first=index < GROUPS + ROOMS)
                continue
            is_blocked = bool(blocked_users) and turn % _BLOCKED_USER_INTERVAL == _BLOCKED_USER_INTERVAL // 2
            index = turn + self._seed * _SEED_STRIDE
            number = users.initial_followers + index % blocked_users if is_blocked else index % user_count
            yield UserScenario(self._environment, number, start, self._first_message(turn), rng).events(
                is_first=cycle == 0, ends_blocked=is_blocked, extra_types=extra_types
            )

    def _first_message(self, turn: int) -> int:
        """Return the first message number of a scenario. Scenarios of one seed do not share message numbers."""
        return (self._seed * 10**9 + turn * 64) % 10**12


def _webhook_event(event: GeneratedEvent, randomness: int) -> dict[str, Any]:
    return {
        "type": event.type,
        "mode": "active",
        "timestamp": event.timestamp,
        **event.fields,
        "webhookEventId": ulid(event.timestamp, randomness),
        "deliveryContext": {"isRedelivery": False},
    }
