"""Queries of the ledger: accepted requests and campaigns, for which LINE has statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from line_core.message_status import MessageStatus
from line_core.store.tables.ledger import messages, requests

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from line_core.store import Store


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A sending request that LINE accepted."""

    request_id: str
    method: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """Messages with the same custom aggregation unit."""

    unit: str
    first_sent_at: datetime
    last_sent_at: datetime


def accepted_requests(
    store: Store, channel: str, methods: Collection[str], since: datetime | None = None
) -> list[AcceptedRequest]:
    """Return the accepted requests of the given send methods, by time of acceptance."""
    table = requests.c
    query = select(table.request_id, table.method, table.finished_at).where(
        table.channel == channel,
        table.status == MessageStatus.ACCEPTED,
        table.method.in_(methods),
        table.request_id.is_not(None),
        table.finished_at.is_not(None),
    )
    if since:
        query = query.where(table.finished_at > since)
    with store.read() as connection:
        rows = connection.execute(query.order_by(table.finished_at, table.request_id))
        return [AcceptedRequest(*row) for row in rows]


def sent_campaigns(store: Store, channel: str) -> list[Campaign]:
    """Return the campaigns with accepted push or multicast messages, by name."""
    query = (
        select(messages.c.campaign, func.min(requests.c.finished_at), func.max(requests.c.finished_at))
        .select_from(messages.join(requests, messages.c.retry_key == requests.c.retry_key))
        .where(
            messages.c.channel == channel,
            messages.c.status == MessageStatus.ACCEPTED,
            messages.c.campaign.is_not(None),
            requests.c.method.in_(("push", "multicast")),  # LINE has no units for the others
            requests.c.finished_at.is_not(None),
        )
        .group_by(messages.c.campaign)
        .order_by(messages.c.campaign)
    )
    with store.read() as connection:
        return [Campaign(*row) for row in connection.execute(query)]
