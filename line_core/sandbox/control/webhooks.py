"""Control API: webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from line_core.sandbox.control.reading import read
from line_core.sandbox.http import Reply, Request
from line_core.sandbox.platform.refusals import InvalidRequest
from line_core.sandbox.webhooks.histories import Histories
from line_core.sandbox.webhooks.sender import LINE_PATIENCE_SECONDS, Plan, send

if TYPE_CHECKING:
    from line_core.sandbox.app import Sandbox
    from line_core.sandbox.routing import Router


class _Generate(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    types: list[str] | None = None


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    secret: str | None = None
    destination: str | None = None
    events: list[dict[str, Any]] | None = None
    generate: _Generate | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    duplicate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    shuffle: bool = False
    redeliver_failures: bool = False
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=500)] = 4
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = LINE_PATIENCE_SECONDS


def add_control(router: Router, sandbox: Sandbox) -> None:
    """Add this part of the control API."""
    router.add("POST /sandbox/webhooks", _Webhooks(sandbox).send)


class _Webhooks:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def send(self, request: Request) -> Reply:
        order = read(request, _Order)
        if order.events is not None and order.generate is not None:
            raise InvalidRequest("give `events` or `generate`, not both")
        platform = self._sandbox.platform
        events = order.events or []
        seed = 0
        if order.generate:
            seed = order.generate.seed
            events = Histories(platform.users, platform.account, seed).events(
                order.generate.count, order.generate.types
            )
        outcome = await send(
            Plan(
                url=order.url,
                secret=order.secret or platform.options.channel_secret,
                destination=order.destination or platform.account.user_id,
                events=events,
                batch_size=order.batch_size,
                duplicate=order.duplicate,
                shuffle=order.shuffle,
                redeliver_failures=order.redeliver_failures,
                concurrency=order.concurrency,
                patience_seconds=order.timeout_seconds,
                seed=seed,
            )
        )
        return Reply(
            {
                "events": len(events),
                "webhook_event_ids": [event["webhookEventId"] for event in events if "webhookEventId" in event],
                "requests": outcome.requests,
                "answers": dict(sorted(outcome.answers.items())),
                "duplicates": outcome.duplicates,
                "redeliveries": outcome.redeliveries,
                "undelivered": outcome.undelivered,
            },
            note=f"{len(events)} events to {order.url}",
        )
