"""What a group of accepted requests becomes in the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from line_core.store.inbox import relay_queue, write_events
from line_core.store.inbox.heartbeat import write_heartbeat
from line_webhook.metrics import COMMITS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from line_core.store import Store
    from line_core.webhook_events.parsing import ReceivedEvent
    from line_webhook.metrics import Metrics


class SignedRequest(NamedTuple):
    """A request whose signature was verified, and its events."""

    channel: str
    events: list[ReceivedEvent]
    body: bytes
    signature: bytes


class Storing:
    """Writes requests: their events into the inbox, and the whole of them to the relays of their channel."""

    def __init__(self, store: Store, relays: Mapping[str, Sequence[str]], metrics: Metrics) -> None:
        """Set up.

        Args:
            store: Where to.
            relays: Targets of each channel that has any; see `line_core.store.inbox.relay_queue.target_id`.
            metrics: Counts events and commits.
        """
        self._store = store
        self._relays = relays
        self._metrics = metrics

    def write(self, requests: list[SignedRequest]) -> None:
        """Store requests in one transaction.

        Raises:
            StoreError: Nothing was stored.
        """
        with self._store.write(lock="inbox") as connection:
            written = write_events(connection, [event for request in requests for event in request.events])
            relay_queue.enqueue(connection, [row for request in requests for row in self._relayed(request)])
        self._metrics.add(COMMITS)
        self._metrics.add(EVENTS, "new", amount=written.new)
        self._metrics.add(EVENTS, "repeated", amount=written.repeated)

    def probe(self) -> None:
        """Write something that nobody needs.

        Raises:
            StoreError: The store cannot be written.
        """
        with self._store.write() as connection:
            write_heartbeat(connection, datetime.now(UTC))

    def _relayed(self, request: SignedRequest) -> list[relay_queue.NewRelayRequest]:
        return [
            relay_queue.NewRelayRequest(
                request.channel,
                target,
                request.body.decode(),
                request.signature.decode("ascii"),
                request.events[0].received_at,
            )
            for target in self._relays.get(request.channel, ())
        ]
