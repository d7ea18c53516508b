"""Throughput of target-line on `profiles`, compared with a stock Singer target whose sink does nothing.

Both read the same file through the same command line. target-line loads the file into an empty store, and then the same
file again into the full store.

    .venv/bin/python -m benchmarks.identity
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink

from benchmarks.measuring import Cost, run, stores
from examples.demo.servers import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROPERTIES = {
    **{name: {"type": ["null", "string"]} for name in ("id", "email", "line_id", "name", "plan", "city", "tier")},
    "updated_at": {"type": ["null", "string"], "format": "date-time"},
    "visits": {"type": ["null", "integer"]},
    "balance": {"type": ["null", "number"]},
}


class NoOpSink(BatchSink):
    """Discards its records."""

    def process_batch(self, context: dict[str, Any]) -> None:
        pass


class NoOpTarget(Target):
    """A stock target: the SDK's reader, with validation."""

    name = "target-no-op"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = NoOpSink


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000], help="sizes to measure")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--stock-target", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stock_target:
        NoOpTarget.cli(["--input", arguments.stock_target])
        return
    print(f"{'records':>10} {'target':<28}{'seconds':>9}{'records/s':>11}{'of stock':>10}{'peak MB':>9}", flush=True)
    with stores(arguments.store) as new_stores:
        for records in arguments.records:
            file = new_stores.directory / "records.jsonl"
            with file.open("w") as lines:
                lines.writelines(json.dumps(message) + "\n" for message in messages(records))
            stock = run_stock_target(file)
            print_row(records, "stock, no operation", stock, stock)
            for store in arguments.store:
                config = new_stores.directory / "config.json"
                config.write_text(json.dumps({"store_url": new_stores.new(store, f"profiles_{records}")}))
                options = ("--config", config, "--input", file)
                print_row(records, f"target-line, {store}, empty", run(PROGRAMS / "target-line", *options), stock)
                print_row(records, f"target-line, {store}, full", run(PROGRAMS / "target-line", *options), stock)


def run_stock_target(file: Path) -> Cost:
    """Run the stock target on a file of Singer messages."""
    return run(sys.executable, "-m", "benchmarks.identity", "--stock-target", file)


def messages(records: int) -> Iterator[dict[str, Any]]:
    """Yield a SCHEMA message and `records` people, each with all three identifiers and seven attributes."""
    yield {"type": "SCHEMA", "stream": "profiles", "schema": {"properties": PROPERTIES}, "key_properties": ["id"]}
    for number in range(records):
        record = {
            "id": f"c-{number}",
            "email": f"customer{number}@shop.example",
            "line_id": f"U{number:032x}",
            "updated_at": "2026-01-01T00:00:00Z",
            "name": f"Customer {number}",
            "plan": "gold" if number % 10 == 0 else "free",
            "city": "Osaka",
            "tier": "b",
            "visits": number % 50,
            "balance": number / 8,
        }
        yield {"type": "RECORD", "stream": "profiles", "record": record}


def print_row(records: int, name: str, cost: Cost, stock: Cost) -> None:
    rate, share = records / cost.seconds, stock.seconds / cost.seconds
    print(f"{records:>10,} {name:<28}{cost.seconds:>9.1f}{rate:>11,.0f}{share:>10.2f}{cost.peak_mb:>9,.0f}", flush=True)


if __name__ == "__main__":
    main()
