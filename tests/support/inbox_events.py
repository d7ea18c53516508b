"""Write events to an inbox as the receiver does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from line_core.store.inbox import write_events
from line_core.webhook_events.parsing import parse_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.store import Store

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def minute(at: float) -> datetime:
    """Return the time that many minutes after `BEGIN`."""
    return BEGIN + timedelta(minutes=at)


def event(at: float, kind: str, line_id: str, **rest: Any) -> dict[str, Any]:
    """Return a webhook event of a person. Its id is made from its content."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int(minute(at).timestamp() * 1000),
        "webhookEventId": f"{at}-{kind}-{line_id[-12:]}",
        "deliveryContext": {"isRedelivery": False},
        "source": {"type": "user", "userId": line_id},
        **rest,
    }


def receive(store: Store, events: Iterable[dict[str, Any]], *, channel: str = "main") -> None:
    """Write events to the inbox in their order."""
    body = json.dumps({"destination": "U" + "0" * 32, "events": list(events)}).encode()
    with store.write(lock="inbox") as connection:
        write_events(connection, parse_events(channel, body, minute(100_000)))
