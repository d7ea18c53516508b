"""What the tap reads of the ledger: which requests and campaigns LINE has statistics of."""

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
class SentRequest:
    """A request that LINE accepted."""

    request_id: str
    method: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """Messages with one custom aggregation unit."""

    unit: str
    first_sent_at: datetime
    last_sent_at: datetime


def sent_requests(
    store: Store, channel: str, methods: Collection[str], since: datetime | None = None
) -> list[SentRequest]:
    """The accepted requests of some methods, in the order in which they were accepted."""
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
        return [SentRequest(*row) for row in rows]


def campaigns(store: Store, channel: str) -> list[Campaign]:
    """The campaigns that accepted pushes and multicasts belonged to."""
    sent = (
        select(messages.c.campaign, func.min(requests.c.finished_at), func.max(requests.c.finished_at))
        .select_from(messages.join(requests, messages.c.retry_key == requests.c.retry_key))
        .where(
            messages.c.channel == channel,
            messages.c.status == MessageStatus.ACCEPTED,
            messages.c.campaign.is_not(None),
            requests.c.finished_at.is_not(None),
        )
        .group_by(messages.c.campaign)
        .order_by(messages.c.campaign)
    )
    with store.read() as connection:
        return [Campaign(*row) for row in connection.execute(sent)]
