"""Control API: webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from line_sandbox.control.reading import read
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.response import HttpResponse
from line_sandbox.webhooks.delivery import Manner, deliver
from line_sandbox.webhooks.event_generator import Histories
from line_sandbox.webhooks.sender import LINE_PATIENCE_SECONDS, WebhookTarget

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.app import Sandbox


class _Generate(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 1
    types: list[str] | None = None


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(pattern="^https?://")] | None = None
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

    async def send(self, request: HttpRequest) -> HttpResponse:
        order = read(request, _Order)
        platform = self._sandbox.platform
        settings = platform.webhook_settings
        target = WebhookTarget(
            order.url or settings.endpoint or "",
            order.secret or settings.channel_secret,
            order.destination or settings.bot_user_id,
        )
        if not target.url:
            raise InvalidRequest("give a `url`, or set the channel's webhook endpoint")
        events = self._events(order)
        manner = Manner(
            batch_size=order.batch_size,
            duplicate=order.duplicate,
            shuffle=order.shuffle,
            redeliver_failures=order.redeliver_failures,
            concurrency=order.concurrency,
            patience_seconds=order.timeout_seconds,
            seed=order.generate.seed if order.generate else 0,
        )
        outcome = await deliver(target, events, manner, platform.inbound.sent)
        event_ids = [str(event["webhookEventId"]) for event in events if "webhookEventId" in event]
        return HttpResponse(
            {
                "events": len(events),
                "webhook_event_ids": event_ids,
                "requests": outcome.requests,
                "answers": dict(sorted(outcome.answers.items())),
                "duplicates": outcome.duplicates,
                "redeliveries": outcome.redeliveries,
                "undelivered": [event_id for event_id in event_ids if event_id not in outcome.received],
            },
            note=f"{len(events)} events in {outcome.requests} requests",
        )

    def _events(self, order: _Order) -> list[dict[str, Any]]:
        if order.generate is None:
            return order.events or []
        if order.events is not None:
            raise InvalidRequest("give `events` or `generate`, not both")
        histories = Histories(self._sandbox.platform, order.generate.seed)
        return histories.events(order.generate.count, order.generate.types)
