"""What `/metrics` tells about this moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from line_core.store.inbox import last_position
from line_core.store.inbox.readers import acknowledged_positions
from line_core.store.inbox.relay_queue import backlogs
from line_webhook.metrics import Gauge

if TYPE_CHECKING:
    from line_core.store import Store
    from line_webhook.bodies import Bodies
    from line_webhook.store_thread import StoreThread
    from line_webhook.storing import SignedRequest


def current_gauges(thread: StoreThread[SignedRequest], bodies: Bodies) -> list[Gauge]:
    """State of this worker."""
    return [
        Gauge("tap_line_webhook_ready", "Whether this worker can store events", {}, thread.trouble is None),
        Gauge("tap_line_webhook_waiting_requests", "Requests of this worker not yet stored", {}, thread.waiting),
        Gauge("tap_line_webhook_buffered_bytes", "Bodies that this worker holds in memory", {}, bodies.held),
    ]


def stored_gauges(store: Store) -> list[Gauge]:
    """State of the store, which all workers share.

    Raises:
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        newest = last_position(connection)
        readers = acknowledged_positions(connection)
        queues = backlogs(connection)
    pending: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    for queue in queues:
        pending[queue.channel] += queue.pending
        dead[queue.channel] += queue.dead
    return [
        Gauge("tap_line_webhook_last_position", "Newest position in the inbox", {}, newest),
        *(
            Gauge("tap_line_webhook_reader_position", "What a reader has acknowledged", {"reader": reader}, position)
            for reader, position in readers.items()
        ),
        *(
            Gauge("tap_line_webhook_relay_pending", "Requests still to be relayed", {"channel": channel}, count)
            for channel, count in pending.items()
        ),
        *(
            Gauge("tap_line_webhook_relay_dead", "Dead letters of relays", {"channel": channel}, count)
            for channel, count in dead.items()
        ),
    ]
