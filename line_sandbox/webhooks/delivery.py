"""Delivers events in batches, and on request twice, mixed up, or again after a failure.

Source: LINE documentation, "Receive messages (webhook)", section "Redelivering webhooks": the same event can come twice
even without a failure, order is not kept, and what is sent again has `isRedelivery` set.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_sandbox.webhooks.sender import LINE_PATIENCE_SECONDS, WebhookSender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_sandbox.webhooks.sender import WebhookTarget

    Events = Sequence[dict[str, Any]]

_DUPLICATE_DISTANCE = 50
_REDELIVERY_PAUSES = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Manner:
    """How events are delivered."""

    batch_size: int = 1
    duplicate: float = 0.0
    """Share of the events that are sent twice."""
    shuffle: bool = False
    redeliver_failures: bool = False
    concurrency: int = 4
    """Requests in flight."""
    patience_seconds: float = LINE_PATIENCE_SECONDS
    seed: int = 0
    """Decides which are sent twice, and how they are mixed."""


@dataclass(slots=True)
class Outcome:
    """What was sent, and what came back."""

    requests: int = 0
    duplicates: int = 0
    """Events that were sent a second time without a failure."""
    redeliveries: int = 0
    """Requests that were sent again after a failure."""
    answers: Counter[str] = field(default_factory=Counter)
    """Requests by what came back: a status, `timeout` or `unreachable`."""
    received: set[str] = field(default_factory=set)
    """The webhookEventIds of events that at least one request with a 2xx answer held."""


async def deliver(
    target: WebhookTarget, events: Events, manner: Manner, sent: Callable[[dict[str, Any]], None]
) -> Outcome:
    """Deliver events; without any, send the one empty request that LINE checks an endpoint with.

    Args:
        target: Where to, and as whose.
        events: What to send.
        manner: How.
        sent: Is told of every event that goes out.
    """
    outcome = Outcome()
    arranged = _arranged(events, manner)
    outcome.duplicates = len(arranged) - len(events)
    size = manner.batch_size
    batches = iter([arranged[start : start + size] for start in range(0, len(arranged), size)] or [[]])
    async with (
        WebhookSender(target, connections=manner.concurrency, patience_seconds=manner.patience_seconds) as sender,
        asyncio.TaskGroup() as tasks,
    ):

        async def work() -> None:
            for batch in batches:
                await _deliver(sender, batch, manner, outcome, sent)

        for _ in range(manner.concurrency):
            tasks.create_task(work())
    return outcome


def _arranged(events: Events, manner: Manner) -> list[dict[str, Any]]:
    """The events in the order of sending, with those that are sent twice."""
    chance = random.Random(manner.seed)  # noqa: S311 - chance, not secrecy
    placed = [(float(place), event) for place, event in enumerate(events)]
    for place, event in enumerate(events):
        if chance.random() < manner.duplicate:
            placed.append((place + chance.uniform(0, _DUPLICATE_DISTANCE), event))
    if manner.shuffle:
        chance.shuffle(placed)
    else:
        placed.sort(key=lambda pair: pair[0])
    return [event for _, event in placed]


async def _deliver(
    sender: WebhookSender, batch: Events, manner: Manner, outcome: Outcome, sent: Callable[[dict[str, Any]], None]
) -> None:
    for attempt in range(1 + len(_REDELIVERY_PAUSES) * manner.redeliver_failures):
        if attempt:
            await asyncio.sleep(_REDELIVERY_PAUSES[attempt - 1])
            outcome.redeliveries += 1
        for event in batch:
            sent(event)
        answer = await sender.post([_again(event) for event in batch] if attempt else batch)
        outcome.requests += 1
        outcome.answers[answer] += 1
        if answer.startswith("2"):
            outcome.received.update(str(event.get("webhookEventId")) for event in batch)
            return


def _again(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "deliveryContext": {"isRedelivery": True}}
