"""Figures for Prometheus, summed over all worker processes.

Each worker counts in a file of its own, mapped into memory, so that counting costs nothing and any worker can answer
for all. The series are known from the start: outcomes and channels are.

Source: Prometheus, "Text-based format".
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

REQUESTS: Final = "tap_line_webhook_requests_total"
SECONDS: Final = "tap_line_webhook_request_seconds"
EVENTS: Final = "tap_line_webhook_events_total"
COMMITS: Final = "tap_line_webhook_commits_total"
RELAYED: Final = "tap_line_webhook_relayed_total"
PURGED: Final = "tap_line_webhook_purged_events_total"

STATUSES: Final = (200, 400, 401, 404, 413, 503)
UNKNOWN_CHANNEL: Final = ""

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_BYTES_EACH = 8


class Gauge(NamedTuple):
    """A figure that is true at this moment."""

    name: str
    help: str
    labels: dict[str, str]
    value: float


class Metrics:
    """Counts of one worker, and the sums of all."""

    def __init__(self, channels: Sequence[str], directory: Path | None = None) -> None:
        """Begin at zero.

        Args:
            channels: Names of the channels.
            directory: Where the workers' files lie; by default a new one, for one worker.
        """
        self._series = list(_series(channels))
        self._index = {series: index for index, series in enumerate(self._series)}
        self._directory = directory or Path(tempfile.mkdtemp(prefix="tap-line-webhook-"))
        self._values = self._map(self._directory / f"{os.getpid()}.counts")

    def add(self, name: str, *labels: str, amount: float = 1) -> None:
        """Count."""
        self._values[self._index[name, labels]] += amount

    def observe_seconds(self, seconds: float) -> None:
        """Count a request by how long it took."""
        bucket = next((bound for bound in _BUCKETS if seconds <= bound), None)
        self.add(f"{SECONDS}_bucket", "+Inf" if bucket is None else f"{bucket:g}")
        self.add(f"{SECONDS}_sum", amount=seconds)

    def render(self, gauges: Iterable[Gauge]) -> str:
        """Prometheus' text: the counts of all workers, and these gauges."""
        files = sorted(self._directory.glob("*.counts"))
        workers = [memoryview(file.read_bytes()).cast("d") for file in files]
        totals = [sum(worker[index] for worker in workers) for index in range(len(self._series))]
        return "\n".join([*self._counters(totals), *_gauges(gauges)]) + "\n"

    def remove(self) -> None:
        """Delete the files; for the process that made the directory."""
        for file in self._directory.glob("*.counts"):
            file.unlink(missing_ok=True)
        self._directory.rmdir()

    def _map(self, file: Path) -> memoryview[float]:
        size = len(self._series) * _BYTES_EACH
        with file.open("w+b") as opened:
            opened.truncate(size)
            return memoryview(mmap.mmap(opened.fileno(), size)).cast("d")

    def _counters(self, totals: list[float]) -> Iterator[str]:
        described = set()
        running = 0.0
        for (name, labels), total in zip(self._series, totals, strict=True):
            family = SECONDS if name.startswith(SECONDS) else name
            if family not in described:
                described.add(family)
                yield f"# HELP {family} {_HELP[family]}"
                yield f"# TYPE {family} {'histogram' if family == SECONDS else 'counter'}"
            shown = total
            if name == f"{SECONDS}_bucket":
                running += total
                shown = running
            yield _line(name, dict(zip(_LABELS.get(name, ()), labels, strict=True)), shown)
        yield _line(f"{SECONDS}_count", {}, running)


_HELP: Final = {
    REQUESTS: "Webhook requests by channel and answer",
    EVENTS: "Events stored (new) and events that were stored before (repeated)",
    COMMITS: "Transactions that stored events",
    RELAYED: "Requests sent on to other bots, by outcome",
    PURGED: "Events removed by retention",
    SECONDS: "Time from a request's head to its answer",
}

_LABELS: Final = {
    REQUESTS: ("channel", "status"),
    EVENTS: ("outcome",),
    RELAYED: ("channel", "outcome"),
    f"{SECONDS}_bucket": ("le",),
}


def _series(channels: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for channel in (*channels, UNKNOWN_CHANNEL):
        for status in STATUSES:
            yield REQUESTS, (channel, str(status))
    for outcome in ("new", "repeated"):
        yield EVENTS, (outcome,)
    yield COMMITS, ()
    for channel in channels:
        for outcome in ("delivered", "failed", "dead"):
            yield RELAYED, (channel, outcome)
    yield PURGED, ()
    # The histogram's series stand together and last: its count follows them.
    yield f"{SECONDS}_sum", ()
    for bound in _BUCKETS:
        yield f"{SECONDS}_bucket", (f"{bound:g}",)
    yield f"{SECONDS}_bucket", ("+Inf",)


def _gauges(gauges: Iterable[Gauge]) -> Iterator[str]:
    described = set()
    for gauge in gauges:
        if gauge.name not in described:
            described.add(gauge.name)
            yield f"# HELP {gauge.name} {gauge.help}"
            yield f"# TYPE {gauge.name} gauge"
        yield _line(gauge.name, gauge.labels, gauge.value)


def _line(name: str, labels: dict[str, str], value: float) -> str:
    shown = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {value:.17g}" if shown else f"{name} {value:.17g}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
