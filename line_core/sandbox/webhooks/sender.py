"""Sends webhooks to a URL: signed, in batches, and on request twice, mixed up, or again after a failure.

Source: LINE Messaging API reference, "Webhooks"; documentation "Receive messages (webhook)", "Redelivering webhooks".
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

LINE_PATIENCE_SECONDS = 2.0
"""LINE gives up on a receiver that does not answer in two seconds."""

_DUPLICATE_DISTANCE = 50
_REDELIVERY_PAUSES = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, and how."""

    url: str
    secret: str
    destination: str
    events: list[dict[str, Any]]
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
    redeliveries: int = 0
    """Requests that were sent again after a failure."""
    answers: Counter[str] = field(default_factory=Counter)
    """Requests by what came back: a status, `timeout` or `unreachable`."""
    undelivered: list[str] = field(default_factory=list)
    """The webhookEventIds of requests that never got a 2xx answer."""


async def send(plan: Plan) -> Outcome:
    """Send all of it."""
    outcome = Outcome()
    events = _arranged(plan, outcome)
    batches = [events[start : start + plan.batch_size] for start in range(0, len(events), plan.batch_size)] or [[]]
    places = asyncio.Semaphore(plan.concurrency)
    timeout = aiohttp.ClientTimeout(total=plan.patience_seconds)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=aiohttp.TCPConnector(limit=plan.concurrency)
    ) as session:

        async def deliver(batch: list[dict[str, Any]]) -> None:
            async with places:
                await _deliver(session, plan, batch, outcome)

        async with asyncio.TaskGroup() as tasks:
            for batch in batches:
                await places.acquire()
                places.release()
                tasks.create_task(deliver(batch))
    return outcome


def _arranged(plan: Plan, outcome: Outcome) -> list[dict[str, Any]]:
    """The events in the order of sending, with those that are sent twice."""
    chance = random.Random(plan.seed)  # noqa: S311 - chance, not secrecy
    placed = [(float(place), event) for place, event in enumerate(plan.events)]
    for place, event in enumerate(plan.events):
        if chance.random() < plan.duplicate:
            placed.append((place + chance.uniform(0, _DUPLICATE_DISTANCE), event))
            outcome.duplicates += 1
    if plan.shuffle:
        chance.shuffle(placed)
    else:
        placed.sort(key=lambda pair: pair[0])
    return [event for _, event in placed]


async def _deliver(session: aiohttp.ClientSession, plan: Plan, batch: list[dict[str, Any]], outcome: Outcome) -> None:
    if await _post(session, plan, batch, outcome):
        return
    again = [{**event, "deliveryContext": {"isRedelivery": True}} for event in batch]
    for pause in _REDELIVERY_PAUSES if plan.redeliver_failures else ():
        await asyncio.sleep(pause)
        outcome.redeliveries += 1
        if await _post(session, plan, again, outcome):
            return
    outcome.undelivered += [event["webhookEventId"] for event in batch if "webhookEventId" in event]


async def _post(session: aiohttp.ClientSession, plan: Plan, batch: list[dict[str, Any]], outcome: Outcome) -> bool:
    """Send one request; tells whether it was answered well."""
    body = msgspec.json.encode({"destination": plan.destination, "events": batch})
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "LineBotWebhook/2.0",
        "x-line-signature": signature(plan.secret, body),
    }
    outcome.requests += 1
    try:
        async with session.post(plan.url, data=body, headers=headers) as answer:
            await answer.read()
            outcome.answers[str(answer.status)] += 1
            return answer.ok
    except TimeoutError:
        outcome.answers["timeout"] += 1
    except aiohttp.ClientError:
        outcome.answers["unreachable"] += 1
    return False


def signature(secret: str, body: bytes) -> str:
    """The value of `x-line-signature`."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
