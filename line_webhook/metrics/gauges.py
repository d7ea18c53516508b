"""Gauges: the current state of this worker and of the store."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily

from line_core.store.inbox import last_position
from line_core.store.inbox.readers import acknowledged_positions
from line_core.store.inbox.relay_queue import backlogs

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from sqlalchemy import Connection


def worker_gauges(*, is_ready: bool, waiting_requests: int, buffered_bytes: int) -> list[Metric]:
    """Return the state of this worker."""
    return [
        GaugeMetricFamily("tap_line_webhook_ready", "1 if this worker can store events, else 0", value=is_ready),
        GaugeMetricFamily(
            "tap_line_webhook_waiting_requests",
            "Requests of this worker that are not stored yet",
            value=waiting_requests,
        ),
        GaugeMetricFamily(
            "tap_line_webhook_buffered_bytes", "Bytes of request bodies in this worker's memory", value=buffered_bytes
        ),
    ]


def store_gauges(connection: Connection) -> list[Metric]:
    """Return the state of the store, which all workers share; relay queues are summed over a channel's targets."""
    last = GaugeMetricFamily(
        "tap_line_webhook_last_position", "Last position in the inbox", value=last_position(connection)
    )
    acknowledged = GaugeMetricFamily(
        "tap_line_webhook_reader_position", "Last position that a reader has acknowledged", labels=["reader"]
    )
    for reader, position in acknowledged_positions(connection).items():
        acknowledged.add_metric([reader], position)
    pending = GaugeMetricFamily("tap_line_webhook_relay_pending", "Requests to be relayed", labels=["channel"])
    dead = GaugeMetricFamily("tap_line_webhook_relay_dead", "Dead letters of relays", labels=["channel"])
    for channel, queues in groupby(backlogs(connection), key=attrgetter("channel")):
        of_channel = list(queues)
        pending.add_metric([channel], sum(queue.pending for queue in of_channel))
        dead.add_metric([channel], sum(queue.dead for queue in of_channel))
    return [last, acknowledged, pending, dead]
