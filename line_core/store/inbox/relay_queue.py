"""Relay queue: webhook requests to forward to other servers, in the order of arrival, and their dead letters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from line_core.store.tables.inbox import relay_requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class RelayRequest:
    """A queued webhook request, unchanged."""

    relay_id: int
    body: str
    signature: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NewRelayRequest:
    """A webhook request to queue for one relay target."""

    channel: str
    target: str
    body: str
    signature: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RelayBacklog:
    """Number of requests that wait for a relay target, and of its dead letters."""

    channel: str
    target: str
    pending: int
    dead: int


def target_id(url: str) -> str:
    """Return an id for the URL of a relay target. The URL itself is not stored, because it may contain a secret."""
    return hashlib.sha256(url.encode()).hexdigest()


def enqueue(connection: Connection, requests: Sequence[NewRelayRequest]) -> None:
    """Queue requests. Call it in the transaction that stores their events, so that both are committed together."""
    if requests:
        rows = [
            {
                "channel": request.channel,
                "target": request.target,
                "body": request.body,
                "signature": request.signature,
                "received_at": request.received_at,
            }
            for request in requests
        ]
        connection.execute(insert(relay_requests), rows)


def next_requests(connection: Connection, channel: str, target: str, limit: int) -> list[RelayRequest]:
    """Return the next requests for a target, oldest first."""
    queue = relay_requests.c
    rows = connection.execute(
        select(queue.relay_id, queue.body, queue.signature, queue.received_at)
        .where(queue.channel == channel, queue.target == target, queue.dead_at.is_(None))
        .order_by(queue.relay_id)
        .limit(limit)
    )
    return [RelayRequest(*row) for row in rows]


def remove_delivered(connection: Connection, relay_ids: Sequence[int]) -> None:
    """Delete requests that were delivered."""
    connection.execute(delete(relay_requests).where(relay_requests.c.relay_id.in_(relay_ids)))


def mark_dead(connection: Connection, relay_id: int, error: str) -> None:
    """Turn a request into a dead letter: it is kept, but not retried."""
    dead = update(relay_requests).where(relay_requests.c.relay_id == relay_id)
    connection.execute(dead.values(dead_at=datetime.now(UTC), error=error))


def requeue_dead_letters(connection: Connection) -> int:
    """Queue all dead letters again, in their original order, and return their number."""
    dead = update(relay_requests).where(relay_requests.c.dead_at.is_not(None))
    return connection.execute(dead.values(dead_at=None, error=None, received_at=datetime.now(UTC))).rowcount


def backlogs(connection: Connection) -> list[RelayBacklog]:
    """Return the backlog of each relay target."""
    queue = relay_requests.c
    rows = connection.execute(
        select(
            queue.channel,
            queue.target,
            (func.count() - func.count(queue.dead_at)).label("pending"),
            func.count(queue.dead_at).label("dead"),
        )
        .group_by(queue.channel, queue.target)
        .order_by(queue.channel, queue.target)
    )
    return [RelayBacklog(*row) for row in rows]
