"""Records a second of tap-line's `events` from a full inbox, beside a bare SDK stream that yields the same dicts.

The bare stream has them in memory, so that it shows what the SDK itself costs; it runs once with the SDK's own writer
and once with its msgspec writer.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter

from line_core.store import open_store
from line_core.store.inbox import read_events, write_events
from line_core.webhook_events.parsing import parse_events
from tap_line.event_records.event_record import EVENT_COLUMNS, event_record
from tap_line.streams.inbox.events import Events

sys.path.insert(0, str(Path(__file__).parents[1]))
from examples.demo import servers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.base import GenericSingerWriter

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WRITTEN_AT_ONCE = 5_000
SAMPLE = 2_000


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many events the inbox has")
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
    """Fill an inbox, and read it in turns."""
    print(f"filling an inbox with {events:,} events: {store_url.split(':', maxsplit=1)[0]}", flush=True)
    # In a process of its own: its memory would count as that of every process that is started after it.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(fill, (store_url, events))
    print(f"{'program':<34}{'records':>11}{'seconds':>9}{'per second':>12}{'peak MB':>9}", flush=True)
    rates = {}
    for writer in WRITERS:
        command = [sys.executable, __file__, "--bare", writer, "--store-url", store_url, "--events", str(events)]
        rates[writer] = show(f"bare SDK stream, {writer} writer", measure(command), events)
    ours = show("tap-line", measure(tap_line(store_url, directory)), events)
    for writer, rate in rates.items():
        print(f"tap-line has {ours / rate:.0%} of the bare stream's rate with the {writer} writer")


def fill(store_url: str, events: int) -> None:
    """Put events into the inbox: mostly messages, as a busy account gets them."""
    with open_store(store_url) as store:
        for begin in range(0, events, WRITTEN_AT_ONCE):
            numbers = range(begin, min(begin + WRITTEN_AT_ONCE, events))
            body = {"destination": "U" + "0" * 32, "events": [event(number) for number in numbers]}
            with store.write(lock="inbox") as connection:
                write_events(connection, parse_events("main", json.dumps(body).encode(), BEGIN))


def event(number: int) -> dict[str, Any]:
    """A webhook event: of ten eight messages, a postback and a follow."""
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


@dataclass(frozen=True)
class Run:
    """What a run took."""

    seconds: float
    peak_mb: float


def measure(command: list[str]) -> Run:
    """Run a command to its end; the SDK logs how long the stream took, without starting up."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        written = log.read()
    seconds = re.findall(r'"sync_duration","value":([\d.]+)', written)
    if process.returncode or not seconds:
        raise SystemExit(written)
    return Run(float(seconds[-1]), usage.ru_maxrss / 1024)


def show(name: str, run: Run, records: int) -> float:
    """Print a row; the rate."""
    rate = records / run.seconds
    print(f"{name:<34}{records:>11,}{run.seconds:>9.1f}{rate:>12,.0f}{run.peak_mb:>9,.0f}", flush=True)
    return rate


def tap_line(store_url: str, directory: Path) -> list[str]:
    """The command that reads the whole inbox."""
    (directory / "config.json").write_text(json.dumps({"channel_access_token": "unused", "store_url": store_url}))
    discover = [str(servers.PROGRAMS / "tap-line"), "--discover"]
    catalog = json.loads(subprocess.run(discover, capture_output=True, check=True).stdout)
    for stream in catalog["streams"]:
        stream["metadata"][-1]["metadata"]["selected"] = stream["tap_stream_id"] == "events"
    (directory / "catalog.json").write_text(json.dumps(catalog))
    files = ["--config", str(directory / "config.json"), "--catalog", str(directory / "catalog.json")]
    return [str(servers.PROGRAMS / "tap-line"), *files]


class _BareEvents(Stream):
    """The same records from memory, with nothing but what the SDK does by itself."""

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
    """Write so many records, of which some thousands are different."""
    with open_store(store_url) as store, store.read() as connection:
        sample = [{**Events.empty_record, **event_record(event)} for event in read_events(connection, 0, SAMPLE)]
    _BareTap.message_writer_class = WRITERS[writer]
    logging.basicConfig(level=logging.INFO)
    _BareTap(config={"sample": sample, "count": count}).sync_all()


if __name__ == "__main__":
    main()
