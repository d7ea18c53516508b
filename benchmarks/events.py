"""Throughput of tap-line's `events` from a full inbox, compared with a bare SDK stream that yields the same records.

The bare stream has its records in memory, so it measures the cost of the SDK. It runs once with the SDK's default
writer and once with the SDK's msgspec writer.

    .venv/bin/python -m benchmarks.events
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import multiprocessing
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter

from benchmarks.measuring import Cost, run
from examples.demo import servers
from examples.demo.servers import PROGRAMS
from line_core.store import open_store
from line_core.store.inbox import read_events, write_events
from line_core.webhook_events.parsing import parse_events
from tap_line.event_records.event_record import EVENT_COLUMNS, event_record
from tap_line.streams.inbox.events import Events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.base import GenericSingerWriter

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WRITE_BATCH = 5_000
SAMPLE = 2_000
SYNC_SECONDS = r'"sync_duration","value":([\d.]+)'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the inbox")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite"])
    parser.add_argument("--bare", metavar="WRITER", choices=WRITERS, help=argparse.SUPPRESS)
    parser.add_argument("--store-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        bare(arguments.store_url, arguments.events, arguments.bare)
        return
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for store in arguments.store:
            if store == "sqlite":
                compare(f"sqlite:///{directory / 'store.db'}", arguments.events, directory)
            else:
                with servers.postgres(directory / "postgres") as postgres:
                    compare(postgres.url(), arguments.events, directory)


def compare(store_url: str, events: int, directory: Path) -> None:
    """Fill an inbox, then measure each program."""
    print(f"filling an inbox with {events:,} events: {store_url.split(':', maxsplit=1)[0]}", flush=True)
    # In a separate process: the peak memory of a process counts for the processes that it starts.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(fill, (store_url, events))
    print(f"{'program':<34}{'records':>11}{'seconds':>9}{'per second':>12}{'peak MB':>9}", flush=True)
    rates = {}
    for writer in WRITERS:
        command = [
            sys.executable,
            "-m",
            "benchmarks.events",
            "--bare",
            writer,
            "--store-url",
            store_url,
            "--events",
            str(events),
        ]
        rates[writer] = show(f"bare SDK stream, {writer} writer", run(*command, seconds_in_log=SYNC_SECONDS), events)
    ours = show("tap-line", run(*tap_line(store_url, directory), seconds_in_log=SYNC_SECONDS), events)
    for writer, rate in rates.items():
        print(f"tap-line has {ours / rate:.0%} of the bare stream's rate with the {writer} writer")


def fill(store_url: str, events: int) -> None:
    """Write events into the inbox, mostly messages."""
    with open_store(store_url) as store:
        for start in range(0, events, WRITE_BATCH):
            numbers = range(start, min(start + WRITE_BATCH, events))
            body = {"destination": "U" + "0" * 32, "events": [event(number) for number in numbers]}
            with store.write(lock="inbox") as connection:
                write_events(connection, parse_events("main", json.dumps(body).encode(), BEGIN))


def event(number: int) -> dict[str, Any]:
    """Return a webhook event. Of ten events, eight are messages, one a postback and one a follow."""
    kinds: dict[int, dict[str, Any]] = {
        0: {"type": "follow", "follow": {"isUnblocked": False}},
        1: {"type": "postback", "postback": {"data": f"action=buy&item={number}"}},
    }
    message = {
        "id": str(10**17 + number),
        "type": "text",
        "quoteToken": "q" * 40,
        "text": f"こんにちは, order {number}",
    }
    return {
        "mode": "active",
        "timestamp": int((BEGIN + timedelta(seconds=number)).timestamp() * 1000),
        "source": {"type": "user", "userId": f"U{number % 100_000:032x}"},
        "webhookEventId": f"01J{number:023d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"{number:032x}",
        **kinds.get(number % 10, {"type": "message", "message": message}),
    }


def show(name: str, cost: Cost, records: int) -> float:
    """Print a row, and return the rate."""
    rate = records / cost.seconds
    print(f"{name:<34}{records:>11,}{cost.seconds:>9.1f}{rate:>12,.0f}{cost.peak_mb:>9,.0f}", flush=True)
    return rate


def tap_line(store_url: str, directory: Path) -> list[str]:
    """Return the command that reads the whole inbox."""
    (directory / "config.json").write_text(json.dumps({"channel_access_token": "unused", "store_url": store_url}))
    discover = [str(PROGRAMS / "tap-line"), "--discover"]
    catalog = json.loads(subprocess.run(discover, capture_output=True, check=True).stdout)
    for stream in catalog["streams"]:
        stream["metadata"][-1]["metadata"]["selected"] = stream["tap_stream_id"] == "events"
    (directory / "catalog.json").write_text(json.dumps(catalog))
    files = ["--config", str(directory / "config.json"), "--catalog", str(directory / "catalog.json")]
    return [str(PROGRAMS / "tap-line"), *files]


class _BareEvents(Stream):
    """Yields the same records from memory."""

    name = "events"
    primary_keys: tuple[str, ...] = ("channel", "webhook_event_id")
    replication_key = "position"
    is_sorted = True
    schema = th.PropertiesList(*EVENT_COLUMNS).to_dict()

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        sample: list[dict[str, Any]] = self.config["sample"]
        records = itertools.islice(itertools.cycle(sample), self.config["count"])
        for position, record in enumerate(records, start=1):
            yield {**record, "position": position}


class _BareTap(Tap):
    name = "tap-bare"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Stream]:
        return [_BareEvents(self)]


WRITERS: dict[str, type[GenericSingerWriter[Any, Any]]] = {"SDK": Tap.message_writer_class, "msgspec": MsgSpecWriter}


def bare(store_url: str, count: int, writer: str) -> None:
    """Write `count` records, of which `SAMPLE` are different."""
    with open_store(store_url) as store, store.read() as connection:
        sample = [{**Events.empty_record, **event_record(event)} for event in read_events(connection, 0, SAMPLE)]
    _BareTap.message_writer_class = WRITERS[writer]
    logging.basicConfig(level=logging.INFO)
    _BareTap(config={"sample": sample, "count": count}).sync_all()


if __name__ == "__main__":
    main()
