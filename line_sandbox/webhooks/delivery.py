"""Delivers events in batches; options add duplicates, shuffling and redelivery after failures.

Source: LINE documentation, "Receive messages (webhook)", section "Redelivering webhooks": LINE can send an event twice
without a failure, does not guarantee the order, and sets `isRedelivery` in redelivered events.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_sandbox.webhooks.sender import LINE_TIMEOUT_SECONDS, WebhookSender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_sandbox.webhooks.sender import WebhookTarget

    Events = Sequence[dict[str, Any]]
    OnSend = Callable[[dict[str, Any]], None]

_MAX_DUPLICATE_DISTANCE = 50
_REDELIVERY_DELAYS = (0.2, 0.5, 1.0)  # seconds


@dataclass(frozen=True, slots=True)
class WebhookDeliveryOptions:
    """Options of a delivery."""

    batch_size: int = 1
    """Events in one request."""
    duplicate: float = 0.0
    """Share of the events that are sent twice."""
    shuffle: bool = False
    """Whether the events are sent in random order."""
    redeliver_failures: bool = False
    """Whether a request without a 2xx response is sent again, up to three times."""
    concurrency: int = 4
    """Requests in flight."""
    timeout_seconds: float = LINE_TIMEOUT_SECONDS
    seed: int = 0
    """Seed for duplicates and shuffling."""


@dataclass(slots=True)
class WebhookDeliveryResult:
    """Counts of a delivery."""

    requests: int = 0
    duplicates: int = 0
    """Events that were sent twice without a failure."""
    redeliveries: int = 0
    """Requests that were sent again after a failure."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Number of requests by response status, `timeout` or `unreachable`."""
    received: set[str] = field(default_factory=set)
    """The webhookEventIds in requests with a 2xx response."""


async def deliver(
    target: WebhookTarget, events: Events, options: WebhookDeliveryOptions, *, on_send: OnSend
) -> WebhookDeliveryResult:
    """Deliver events. Without events, send one empty request, as LINE does to verify an endpoint.

    Args:
        target: The receiver.
        events: The events.
        options: Batching, duplicates, order, redelivery, concurrency.
        on_send: Called with each event before a request that contains it is sent.
    """
    result = WebhookDeliveryResult()
    arranged = _arrange(events, options)
    result.duplicates = len(arranged) - len(events)
    size = options.batch_size
    batches = iter([arranged[start : start + size] for start in range(0, len(arranged), size)] or [[]])
    async with (
        WebhookSender(target, connections=options.concurrency, timeout_seconds=options.timeout_seconds) as sender,
        asyncio.TaskGroup() as tasks,
    ):

        async def deliver_batches() -> None:
            for batch in batches:
                await _deliver_batch(sender, batch, options, result, on_send)

        for _ in range(options.concurrency):
            tasks.create_task(deliver_batches())
    return result


def _arrange(events: Events, options: WebhookDeliveryOptions) -> list[dict[str, Any]]:
    """Return the events in the order of sending, including duplicates."""
    rng = random.Random(options.seed)  # noqa: S311 - simulation, not cryptography
    placed = [(float(index), event) for index, event in enumerate(events)]
    for index, event in enumerate(events):
        if rng.random() < options.duplicate:
            placed.append((index + rng.uniform(0, _MAX_DUPLICATE_DISTANCE), event))
    if options.shuffle:
        rng.shuffle(placed)
    else:
        placed.sort(key=lambda pair: pair[0])
    return [event for _, event in placed]


async def _deliver_batch(
    sender: WebhookSender,
    batch: Events,
    options: WebhookDeliveryOptions,
    result: WebhookDeliveryResult,
    on_send: OnSend,
) -> None:
    for attempt in range(1 + len(_REDELIVERY_DELAYS) * options.redeliver_failures):
        if attempt:
            await asyncio.sleep(_REDELIVERY_DELAYS[attempt - 1])
            result.redeliveries += 1
        for event in batch:
            on_send(event)
        outcome = await sender.post([_redelivered(event) for event in batch] if attempt else batch)
        result.requests += 1
        result.outcomes[outcome] += 1
        if outcome.startswith("2"):
            result.received.update(str(event.get("webhookEventId")) for event in batch)
            return


def _redelivered(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "deliveryContext": {"isRedelivery": True}}
