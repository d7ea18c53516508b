from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from line_core.store.inbox import relay_queue
from line_core.store.inbox.readers import acknowledge
from line_webhook.metrics.gauges import store_gauges

if TYPE_CHECKING:
    from line_core.store import Store


def test_store_gauges_sum_relay_queues_over_the_targets_of_a_channel(store: Store) -> None:
    with store.write() as connection:
        acknowledge(connection, "tap", 7)
        for channel, target in (("main", "a"), ("main", "b"), ("main", "b"), ("shop", "a")):
            request = relay_queue.NewRelayRequest(channel, target, "{}", "signature", datetime.now(UTC))
            relay_queue.enqueue(connection, [request])
        (dead,) = relay_queue.next_requests(connection, "main", "a", 1)
        relay_queue.mark_dead(connection, dead.relay_id, "the bot responded 400")
    with store.read() as connection:
        metrics = store_gauges(connection)
    samples = {(sample.name, *sample.labels.values()): sample.value for metric in metrics for sample in metric.samples}
    assert samples == {
        ("tap_line_webhook_last_position",): 0,
        ("tap_line_webhook_reader_position", "tap"): 7,
        ("tap_line_webhook_relay_pending", "main"): 2,
        ("tap_line_webhook_relay_pending", "shop"): 1,
        ("tap_line_webhook_relay_dead", "main"): 1,
        ("tap_line_webhook_relay_dead", "shop"): 0,
    }
