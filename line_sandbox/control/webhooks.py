"""Control API: sends webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from line_sandbox.control.parameters import read_struct
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.response import HttpResponse
from line_sandbox.webhooks.delivery import WebhookDeliveryOptions, deliver
from line_sandbox.webhooks.environment import Environment
from line_sandbox.webhooks.event_generator import EventGenerator
from line_sandbox.webhooks.sender import LINE_TIMEOUT_SECONDS, WebhookTarget

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox


class _GeneratorOptions(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 1
    types: list[str] | None = None


class _WebhookOrder(msgspec.Struct, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(pattern="^https?://")] | None = None
    secret: str | None = None
    destination: str | None = None
    events: list[dict[str, Any]] | None = None
    generate: _GeneratorOptions | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    duplicate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    shuffle: bool = False
    redeliver_failures: bool = False
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=500)] = 4
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = LINE_TIMEOUT_SECONDS


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    router.add("POST /sandbox/webhooks", _WebhookControl(sandbox).send)


class _WebhookControl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def send(self, request: HttpRequest) -> HttpResponse:
        order = read_struct(request, _WebhookOrder)
        settings = self._sandbox.platform.webhook_settings
        target = WebhookTarget(
            order.url or settings.endpoint or "",
            order.secret or settings.channel_secret,
            order.destination or settings.bot_user_id,
        )
        if not target.url:
            raise InvalidRequest("give a `url`, or set the channel's webhook endpoint")
        events = self._events(order)
        options = WebhookDeliveryOptions(
            batch_size=order.batch_size,
            duplicate=order.duplicate,
            shuffle=order.shuffle,
            redeliver_failures=order.redeliver_failures,
            concurrency=order.concurrency,
            timeout_seconds=order.timeout_seconds,
            seed=order.generate.seed if order.generate else 0,
        )
        result = await deliver(target, events, options, on_send=self._sandbox.platform.incoming_events.record)
        event_ids = [str(event["webhookEventId"]) for event in events if "webhookEventId" in event]
        return HttpResponse(
            {
                "events": len(events),
                "webhook_event_ids": event_ids,
                "requests": result.requests,
                "answers": dict(sorted(result.outcomes.items())),
                "duplicates": result.duplicates,
                "redeliveries": result.redeliveries,
                "undelivered": [event_id for event_id in event_ids if event_id not in result.received],
            },
            note=f"{len(events)} events in {result.requests} requests",
        )

    def _events(self, order: _WebhookOrder) -> list[dict[str, Any]]:
        if order.generate is None:
            return order.events or []
        if order.events is not None:
            raise InvalidRequest("give `events` or `generate`, not both")
        platform = self._sandbox.platform
        environment = Environment(
            users=platform.users,
            chats=platform.chats,
            contents=platform.contents,
            read_tokens=platform.read_tokens,
            account=platform.account,
        )
        return EventGenerator(environment, order.generate.seed).events(order.generate.count, order.generate.types)
