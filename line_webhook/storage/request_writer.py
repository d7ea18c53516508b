"""Write a group of accepted requests to the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from line_core.store.inbox import relay_queue, write_events
from line_core.store.inbox.heartbeat import write_heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from line_core.store import Store
    from line_core.webhook_events.parsing import ReceivedEvent
    from line_webhook.metrics.counters import ReceiverMetrics


class SignedRequest(NamedTuple):
    """A request with a valid signature and at least one event."""

    channel: str
    events: list[ReceivedEvent]
    body: bytes
    signature: bytes


class RequestWriter:
    """Writes the events of requests to the inbox, and the requests themselves to the relay queues of their channel."""

    def __init__(self, store: Store, relay_targets: Mapping[str, Sequence[str]], metrics: ReceiverMetrics) -> None:
        """Store the dependencies.

        Args:
            store: The store.
            relay_targets: Relay targets by channel name; see `line_core.store.inbox.relay_queue.target_id`.
            metrics: Counts events and commits.
        """
        self._store = store
        self._relay_targets = relay_targets
        self._metrics = metrics

    def write(self, requests: list[SignedRequest]) -> None:
        """Store requests in one transaction.

        Raises:
            StoreError: Nothing was stored.
        """
        with self._store.write(lock="inbox") as connection:
            written = write_events(connection, [event for request in requests for event in request.events])
            relay_queue.enqueue(connection, [row for request in requests for row in self._relay_requests(request)])
        self._metrics.count_commit(new_events=written.new, repeated_events=written.repeated)

    def probe(self) -> None:
        """Write the receiver's heartbeat.

        Raises:
            StoreError: The store cannot be written.
        """
        with self._store.write() as connection:
            write_heartbeat(connection, datetime.now(UTC))

    def _relay_requests(self, request: SignedRequest) -> list[relay_queue.NewRelayRequest]:
        return [
            relay_queue.NewRelayRequest(
                request.channel,
                target,
                request.body.decode(),
                request.signature.decode("ascii"),
                request.events[0].received_at,
            )
            for target in self._relay_targets.get(request.channel, ())
        ]
