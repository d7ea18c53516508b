"""Counters and the request duration histogram, summed over all worker processes.

prometheus-client's multiprocess mode keeps the values in one memory-mapped file per process and metric type. The
library chooses this mode when it is imported, by the environment variable `PROMETHEUS_MULTIPROC_DIR`.
`line_webhook.server` sets the variable before it imports this module. The files of workers that ended stay, so that
sums never decrease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prometheus_client.metrics_core import Metric

CONTENT_TYPE: Final[str] = CONTENT_TYPE_PLAIN_0_0_4

_STATUSES: Final = (200, 400, 401, 404, 413, 503)
_RELAY_OUTCOMES: Final = ("delivered", "failed", "dead")
_UNKNOWN_CHANNEL: Final = ""
_BUCKET_BOUNDS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class ReceiverMetrics:
    """The counters of this process. All series exist from the start, with the value 0."""

    def __init__(self, channels: Sequence[str]) -> None:
        """Create the series for these channel names."""
        registry = CollectorRegistry()
        requests = Counter(
            "tap_line_webhook_requests",
            "Webhook requests by channel and response status",
            ["channel", "status"],
            registry=registry,
        )
        # `labels` takes longer than the increment: look the series up once.
        self._requests = {
            (channel, status): requests.labels(channel, str(status))
            for channel in (*channels, _UNKNOWN_CHANNEL)
            for status in _STATUSES
        }
        self._request_seconds = Histogram(
            "tap_line_webhook_request_seconds",
            "Seconds from the request's headers to its response",
            buckets=_BUCKET_BOUNDS_SECONDS,
            registry=registry,
        )
        events = Counter(
            "tap_line_webhook_events",
            "Events by outcome: new, or repeated (already stored)",
            ["outcome"],
            registry=registry,
        )
        self._new_events = events.labels("new")
        self._repeated_events = events.labels("repeated")
        self._commits = Counter("tap_line_webhook_commits", "Transactions that stored events", registry=registry)
        relayed = Counter(
            "tap_line_webhook_relayed",
            "Requests relayed to other bots, by channel and outcome",
            ["channel", "outcome"],
            registry=registry,
        )
        self._relayed = {
            (channel, outcome): relayed.labels(channel, outcome) for channel in channels for outcome in _RELAY_OUTCOMES
        }
        self._purged_events = Counter(
            "tap_line_webhook_purged_events", "Events removed by retention", registry=registry
        )

    def count_request(self, channel: str, status: int, seconds: float) -> None:
        """Count a response; an unknown channel is counted under an empty name."""
        series = self._requests.get((channel, status)) or self._requests[_UNKNOWN_CHANNEL, status]
        series.inc()
        self._request_seconds.observe(seconds)

    def count_commit(self, *, new_events: int, repeated_events: int) -> None:
        self._commits.inc()
        self._new_events.inc(new_events)
        self._repeated_events.inc(repeated_events)

    def count_relayed(self, channel: str, outcome: str, requests: int = 1) -> None:
        self._relayed[channel, outcome].inc(requests)

    def count_purged(self, events: int) -> None:
        self._purged_events.inc(events)


class _MetricList:
    """Adapts a list of metrics to the interface of a prometheus-client collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def render_metrics(gauges: Iterable[Metric]) -> bytes:
    """Render the counters of all workers, and gauges, in Prometheus' text format 0.0.4."""
    register_counters: Callable[[CollectorRegistry], object] = MultiProcessCollector  # untyped in the library
    registry = CollectorRegistry()
    register_counters(registry)
    registry.register(_MetricList(gauges))
    text: bytes = generate_latest(registry)
    return text
