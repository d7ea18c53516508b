"""Messages a second of target-line: personal pushes against LINE's limit, and one content to very many people.

Pushes: each text is its own, so each message is a request; LINE allows 2,000 a second. The sandbox, in a process of its
own, answers after a while as LINE does and enforces LINE's limits. The ledger is durable.

Multicast: one text to all, up to 500 people in a request, beside a stock Singer target whose sink does nothing and
which reads the same file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))
from examples.demo import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

PUSH, MULTICAST = "POST /v2/bot/message/push", "POST /v2/bot/message/multicast"
CHUNK = 500
# Ten columns, as a table of messages has them.
COLUMNS = {
    **{name: {"type": ["null", "string"]} for name in ("message_id", "id", "email", "line_id", "text", "campaign")},
    **{name: {"type": ["null", "string"], "format": "date-time"} for name in ("send_at", "expires_at", "created_at")},
    "notification_disabled": {"type": ["null", "boolean"]},
}


@dataclass(frozen=True)
class Run:
    """What a program took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Stores:
    """Where empty stores come from."""

    directory: Path
    postgres: servers.Postgres | None

    def new(self, kind: str, name: str) -> str:
        """URL of an empty store."""
        if kind == "sqlite" or self.postgres is None:
            return f"sqlite:///{self.directory / name}.db"
        import psycopg  # noqa: PLC0415 - only with Postgres

        with psycopg.connect(self.postgres.url(driver="postgresql"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.postgres.url(name)


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, nargs="*", default=[20_000], help="sizes to push; none to leave it out")
    parser.add_argument(
        "--multicasts",
        type=int,
        nargs="*",
        default=[10_000, 1_000_000],
        help="sizes of one content to many; none to leave it out",
    )
    parser.add_argument("--latency-ms", type=float, default=50, help="how long the sandbox takes for each answer")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite", "postgres"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        directory = Path(name)
        postgres = (
            running.enter_context(servers.postgres(directory / "postgres")) if "postgres" in arguments.store else None
        )
        stores = Stores(directory, postgres)
        if arguments.pushes:
            measure_pushes(stores, arguments)
        if arguments.multicasts:
            measure_multicasts(stores, arguments)


def measure_pushes(stores: Stores, arguments: argparse.Namespace) -> None:
    """Print a row a size and store; the rate is from LINE's first acceptance to its last."""
    print(f"{'personal pushes':<26}{'messages':>10}{'seconds':>9}{'pushes/s':>10}{'429':>6}{'CPU s':>8}{'peak MB':>9}")
    for messages in arguments.pushes:
        for store in arguments.store:
            with sandbox(messages, arguments.latency_ms) as url:
                file = write(stores.directory, url, messages, text="Hello {}")
                run = target_line(stores, store, f"pushes_{messages}", url, file)
                rate, answers = rate_of(url), requests_of(url, PUSH)
            print(
                f"{f'target-line, {store}':<26}{messages:>10,}{run.seconds:>9.1f}{rate:>10,.0f}"
                f"{answers.get('429', 0):>6}{run.cpu_seconds:>8.1f}{run.peak_mb:>9,.0f}",
                flush=True,
            )
            if answers.get("200") != messages:
                raise SystemExit(f"LINE accepted {answers} of {messages:,} messages")


def measure_multicasts(stores: Stores, arguments: argparse.Namespace) -> None:
    """Print a row a size and store."""
    heads = ("seconds", "records/s", "of stock", "requests", "of best", "CPU s", "peak MB")
    print(f"\n{'one content to many':<26}{'messages':>10}" + "".join(f"{head:>10}" for head in heads), flush=True)
    for messages in arguments.multicasts:
        with sandbox(messages, arguments.latency_ms) as url:
            file = write(stores.directory, url, messages, text="Hello everybody")
        stock = measure([sys.executable, str(Path(__file__).with_name("identity.py")), "--stock-target", str(file)])
        tell("stock, does nothing", messages, stock, stock, None)
        for store in arguments.store:
            with sandbox(messages, arguments.latency_ms) as url:
                run = target_line(stores, store, f"multicasts_{messages}", url, file)
                answers = requests_of(url, MULTICAST)
                got = summary(url)["recipients"]
            tell(f"target-line, {store}", messages, run, stock, answers.get("200", 0))
            if got != messages:
                raise SystemExit(f"{got:,} of {messages:,} people got it: {answers}")


def tell(name: str, messages: int, run: Run, stock: Run, asked: int | None) -> None:
    """Print a row about one content to many."""
    requests_told = f"{asked:>10,}{asked / math.ceil(messages / CHUNK):>10.3f}" if asked is not None else f"{'':>20}"
    print(
        f"{name:<26}{messages:>10,}{run.seconds:>10.1f}{messages / run.seconds:>10,.0f}"
        f"{stock.seconds / run.seconds:>10.2f}{requests_told}{run.cpu_seconds:>10.1f}{run.peak_mb:>10,.0f}",
        flush=True,
    )


def sandbox(followers: int, latency_ms: float) -> contextlib.AbstractContextManager[str]:
    """A sandbox that says nothing about each request."""
    options = ("--followers", str(followers), "--latency-ms", str(latency_ms), "--no-access-log")
    return servers.program("line-sandbox", "serve", "--port", "0", *options, log=Path(os.devnull))


def write(directory: Path, url: str, messages: int, text: str) -> Path:
    """A file of messages, each to a follower of its own; `text` may hold a place for the message's number."""
    path = directory / "messages.jsonl"
    with path.open("w") as lines:
        schema = {"properties": COLUMNS}
        lines.write(json.dumps({"type": "SCHEMA", "stream": "messages", "schema": schema, "key_properties": []}) + "\n")
        for number, line_id in enumerate(followers(url, messages)):
            record = {
                **dict.fromkeys(COLUMNS),
                "message_id": f"m-{number}",
                "line_id": line_id,
                "text": text.format(number),
                "campaign": "spring",
                "created_at": "2026-01-01T00:00:00Z",
                "notification_disabled": False,
            }
            lines.write(json.dumps({"type": "RECORD", "stream": "messages", "record": record}) + "\n")
    return path


def followers(url: str, count: int) -> Iterator[str]:
    """The sandbox's people."""
    for offset in range(0, count, 10_000):
        page = {"offset": offset, "limit": min(10_000, count - offset)}
        yield from requests.get(f"{url}/sandbox/users", params=page, timeout=60).json()["line_ids"]


def target_line(stores: Stores, store: str, name: str, url: str, file: Path) -> Run:
    """Run target-line on an empty store."""
    config = stores.directory / "config.json"
    settings = {"api_url": url, "channel_access_token": "sandbox-token", "store_url": stores.new(store, name)}
    config.write_text(json.dumps(settings))
    return measure([str(servers.PROGRAMS / "target-line"), "--config", str(config), "--input", str(file)])


def measure(command: list[str]) -> Run:
    """Run a command to its end."""
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise SystemExit(log.read().decode())
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def rate_of(url: str) -> float:
    """Deliveries a second, from the first to the last."""
    total = summary(url)["deliveries"]
    first, last = (delivered_at(url, offset) for offset in (0, total - 1))
    return float((total - 1) / (last - first).total_seconds())


def delivered_at(url: str, offset: int) -> datetime:
    """When a delivery was made."""
    page = {"offset": offset, "limit": 1}
    (delivery,) = requests.get(f"{url}/sandbox/deliveries", params=page, timeout=60).json()["deliveries"]
    return datetime.fromisoformat(delivery["at"])


def requests_of(url: str, endpoint: str) -> dict[str, int]:
    """How often the sandbox was asked, by status."""
    counts: dict[str, int] = summary(url)["requests"].get(endpoint, {})
    return counts


def summary(url: str) -> dict[str, Any]:
    """What the sandbox did."""
    told: dict[str, Any] = requests.get(f"{url}/sandbox/summary", timeout=60).json()
    return told


if __name__ == "__main__":
    main()
