"""Records a second of target-line on `profiles`, beside a stock Singer target whose sink does nothing.

Both read the same file through the same command line, in turns. Ours goes onto an empty store and then, with the same
file, onto the full one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink

sys.path.insert(0, str(Path(__file__).parents[1]))
from examples.demo import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

PROPERTIES = {
    **{name: {"type": ["null", "string"]} for name in ("id", "email", "line_id", "name", "plan", "city", "tier")},
    "updated_at": {"type": ["null", "string"], "format": "date-time"},
    "visits": {"type": ["null", "integer"]},
    "balance": {"type": ["null", "number"]},
}


class NothingSink(BatchSink):
    """Takes records and does nothing with them."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing."""


class TargetNothing(Target):
    """A stock target: the SDK's reader, validation on."""

    name = "target-nothing"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = NothingSink


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000], help="sizes to measure")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--stock-target", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stock_target:
        TargetNothing.cli(["--input", arguments.stock_target])
        return
    print(f"{'records':>10} {'target':<28}{'seconds':>9}{'records/s':>11}{'of stock':>10}{'peak MB':>9}", flush=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        directory = Path(name)
        postgres = (
            running.enter_context(servers.postgres(directory / "postgres")) if "postgres" in arguments.store else None
        )
        for records in arguments.records:
            file = directory / "records.jsonl"
            with file.open("w") as lines:
                lines.writelines(json.dumps(message) + "\n" for message in messages(records))
            stock = measure([sys.executable, __file__, "--stock-target", str(file)])
            tell(records, "stock, does nothing", stock, stock)
            for store in arguments.store:
                url = f"sqlite:///{directory / f'{records}.db'}"
                if store == "postgres" and postgres:
                    url = new_database(postgres, f"profiles_{records}")
                config = directory / "config.json"
                config.write_text(json.dumps({"store_url": url}))
                ours = [str(servers.PROGRAMS / "target-line"), "--config", str(config), "--input", str(file)]
                tell(records, f"target-line, {store}, empty", measure(ours), stock)
                tell(records, f"target-line, {store}, full", measure(ours), stock)


def messages(records: int) -> Iterator[dict[str, Any]]:
    """One schema, and so many people with all three identifiers and seven attributes."""
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


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command to its end; wall seconds and peak memory in MB."""
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise SystemExit(log.read().decode())
    return seconds, usage.ru_maxrss / 1024


def new_database(postgres: servers.Postgres, name: str) -> str:
    """An empty database's URL."""
    import psycopg  # noqa: PLC0415 - only with Postgres

    with psycopg.connect(postgres.url(driver="postgresql"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return postgres.url(name)


def tell(records: int, name: str, measured: tuple[float, float], stock: tuple[float, float]) -> None:
    """Print a row."""
    seconds, memory = measured
    rate, share = records / seconds, stock[0] / seconds
    print(f"{records:>10,} {name:<28}{seconds:>9.1f}{rate:>11,.0f}{share:>10.2f}{memory:>9,.0f}", flush=True)


if __name__ == "__main__":
    main()
