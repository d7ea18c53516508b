"""Webhook requests that still have to reach another bot, in the order in which they came."""

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
    """A request as LINE sent it."""

    relay_id: int
    body: str
    signature: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NewRelayRequest:
    """A request to queue for one target."""

    channel: str
    target: str
    body: str
    signature: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many requests wait for a target, and how many were given up."""

    channel: str
    target: str
    pending: int
    dead: int


def target_of(url: str) -> str:
    """Name a URL without its text, which may hold a secret."""
    return hashlib.sha256(url.encode()).hexdigest()


def enqueue(connection: Connection, requests: Sequence[NewRelayRequest]) -> None:
    """Queue requests; in the transaction that stores their events, so that neither is ever without the other."""
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


def oldest(connection: Connection, channel: str, target: str, limit: int) -> list[RelayRequest]:
    """The next requests for a target, oldest first."""
    queue = relay_requests.c
    rows = connection.execute(
        select(queue.relay_id, queue.body, queue.signature, queue.received_at)
        .where(queue.channel == channel, queue.target == target, queue.dead_at.is_(None))
        .order_by(queue.relay_id)
        .limit(limit)
    )
    return [RelayRequest(*row) for row in rows]


def remove(connection: Connection, relay_ids: Sequence[int]) -> None:
    """Forget requests that were delivered."""
    connection.execute(delete(relay_requests).where(relay_requests.c.relay_id.in_(relay_ids)))


def give_up(connection: Connection, relay_id: int, error: str) -> None:
    """Keep a request as a dead letter."""
    dead = update(relay_requests).where(relay_requests.c.relay_id == relay_id)
    connection.execute(dead.values(dead_at=datetime.now(UTC), error=error))


def revive(connection: Connection) -> int:
    """Queue all dead letters again, each at its old place.

    Returns:
        How many.
    """
    dead = update(relay_requests).where(relay_requests.c.dead_at.is_not(None))
    return connection.execute(dead.values(dead_at=None, error=None, received_at=datetime.now(UTC))).rowcount


def backlogs(connection: Connection) -> list[Backlog]:
    """Count what waits and what was given up, by target."""
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
    return [Backlog(*row) for row in rows]
