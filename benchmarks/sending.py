"""Throughput of target-line: personal pushes against LINE's rate limit, and one content to many people.

Pushes: every text is different, so every message is a request; LINE allows 2,000 per second. The sandbox runs in a
separate process, responds after a latency, and enforces LINE's limits. The ledger is durable.

Multicast: one text to all, up to 500 people per request, compared with a stock Singer target whose sink does nothing
and which reads the same file.

    .venv/bin/python -m benchmarks.sending
"""

from __future__ import annotations

import argparse
import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import requests

from benchmarks.identity import run_stock_target
from benchmarks.measuring import Cost, Stores, run, sandbox, stores
from examples.demo.servers import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUSH, MULTICAST = "POST /v2/bot/message/push", "POST /v2/bot/message/multicast"
CHUNK = 500
# The columns of a typical table of messages.
COLUMNS = {
    **{name: {"type": ["null", "string"]} for name in ("message_id", "id", "email", "line_id", "text", "campaign")},
    **{name: {"type": ["null", "string"], "format": "date-time"} for name in ("send_at", "expires_at", "created_at")},
    "notification_disabled": {"type": ["null", "boolean"]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, nargs="*", default=[20_000], help="numbers of pushes; none to skip them")
    parser.add_argument(
        "--multicasts",
        type=int,
        nargs="*",
        default=[10_000, 1_000_000],
        help="numbers of people who get one content; none to skip them",
    )
    parser.add_argument("--latency-ms", type=float, default=50, help="latency of the sandbox")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite", "postgres"])
    arguments = parser.parse_args()
    with stores(arguments.store) as new_stores:
        if arguments.pushes:
            measure_pushes(new_stores, arguments)
        if arguments.multicasts:
            measure_multicasts(new_stores, arguments)


def measure_pushes(new_stores: Stores, arguments: argparse.Namespace) -> None:
    """Print one row per size and store. The rate is measured from LINE's first acceptance to its last."""
    print(f"{'personal pushes':<26}{'messages':>10}{'seconds':>9}{'pushes/s':>10}{'429':>6}{'CPU s':>8}{'peak MB':>9}")
    for messages in arguments.pushes:
        for store in arguments.store:
            with sandbox(messages, arguments.latency_ms) as url:
                file = write(new_stores.directory, url, messages, text="Hello {}")
                cost = target_line(new_stores, store, f"pushes_{messages}", url, file)
                rate, statuses = rate_of(url), requests_of(url, PUSH)
            print(
                f"{f'target-line, {store}':<26}{messages:>10,}{cost.seconds:>9.1f}{rate:>10,.0f}"
                f"{statuses.get('429', 0):>6}{cost.cpu_seconds:>8.1f}{cost.peak_mb:>9,.0f}",
                flush=True,
            )
            if statuses.get("200") != messages:
                raise SystemExit(f"LINE accepted {statuses} of {messages:,} messages")


def measure_multicasts(new_stores: Stores, arguments: argparse.Namespace) -> None:
    """Print one row per size and store."""
    heads = ("seconds", "records/s", "of stock", "requests", "of best", "CPU s", "peak MB")
    print(f"\n{'one content to many':<26}{'messages':>10}" + "".join(f"{head:>10}" for head in heads), flush=True)
    for messages in arguments.multicasts:
        with sandbox(messages, arguments.latency_ms) as url:
            file = write(new_stores.directory, url, messages, text="Hello everybody")
        stock = run_stock_target(file)
        print_row("stock, no operation", messages, stock, stock, None)
        for store in arguments.store:
            with sandbox(messages, arguments.latency_ms) as url:
                cost = target_line(new_stores, store, f"multicasts_{messages}", url, file)
                statuses = requests_of(url, MULTICAST)
                delivered = summary(url)["recipients"]
            print_row(f"target-line, {store}", messages, cost, stock, statuses.get("200", 0))
            if delivered != messages:
                raise SystemExit(f"{delivered:,} of {messages:,} people received it: {statuses}")


def print_row(name: str, messages: int, cost: Cost, stock: Cost, multicasts: int | None) -> None:
    requests_columns = (
        f"{multicasts:>10,}{multicasts / math.ceil(messages / CHUNK):>10.3f}" if multicasts is not None else f"{'':>20}"
    )
    print(
        f"{name:<26}{messages:>10,}{cost.seconds:>10.1f}{messages / cost.seconds:>10,.0f}"
        f"{stock.seconds / cost.seconds:>10.2f}{requests_columns}{cost.cpu_seconds:>10.1f}{cost.peak_mb:>10,.0f}",
        flush=True,
    )


def write(directory: Path, url: str, messages: int, text: str) -> Path:
    """Write a file of messages, one per follower. `{}` in `text` stands for the message's number."""
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
    """Yield LINE IDs of the sandbox's followers."""
    for offset in range(0, count, 10_000):
        page = {"offset": offset, "limit": min(10_000, count - offset)}
        yield from requests.get(f"{url}/sandbox/users", params=page, timeout=60).json()["line_ids"]


def target_line(new_stores: Stores, store: str, name: str, url: str, file: Path) -> Cost:
    """Run target-line on an empty store."""
    config = new_stores.directory / "config.json"
    settings = {"api_url": url, "channel_access_token": "sandbox-token", "store_url": new_stores.new(store, name)}
    config.write_text(json.dumps(settings))
    return run(PROGRAMS / "target-line", "--config", config, "--input", file)


def rate_of(url: str) -> float:
    """Return deliveries per second, from the first to the last."""
    total = summary(url)["deliveries"]
    first, last = (delivered_at(url, offset) for offset in (0, total - 1))
    return float((total - 1) / (last - first).total_seconds())


def delivered_at(url: str, offset: int) -> datetime:
    """Return the time of a delivery."""
    page = {"offset": offset, "limit": 1}
    (delivery,) = requests.get(f"{url}/sandbox/deliveries", params=page, timeout=60).json()["deliveries"]
    return datetime.fromisoformat(delivery["at"])


def requests_of(url: str, endpoint: str) -> dict[str, int]:
    """How often the sandbox was multicasts, by status."""
    counts: dict[str, int] = summary(url)["requests"].get(endpoint, {})
    return counts


def summary(url: str) -> dict[str, Any]:
    counts: dict[str, Any] = requests.get(f"{url}/sandbox/summary", timeout=60).json()
    return counts


if __name__ == "__main__":
    main()
