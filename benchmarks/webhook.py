"""Throughput of the webhook receiver, compared with the same server when it only checks signatures.

Every request has one event, all different and signed in advance. wrk sends them where it is installed (apt install
wrk), otherwise this script does. For the slow disk, a small preloaded C library adds 5 ms to each fsync and fdatasync.

    .venv/bin/python -m benchmarks.webhook
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import uvloop

from examples.demo import servers
from line_core.store import open_store
from line_core.store.inbox import last_position
from tests.support.webhook_events import SECRET, body_of, signature, text

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_FLUSH_MICROSECONDS = 5000
SLOW_FLUSH = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int late(const char *name, int file) {
    int done = ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
    usleep(%d);
    return done;
}
int fsync(int file) { return late("fsync", file); }
int fdatasync(int file) { return late("fdatasync", file); }
"""
WRK_SCRIPT = """
local requests, sent = {}, 0
function init(arguments)
  local file = io.open(arguments[1], "rb")
  for size in function() return file:read(8) end do requests[#requests + 1] = file:read(tonumber(size)) end
  file:close()
end
function request() sent = sent + 1; return requests[sent] end
"""


@dataclass(frozen=True)
class Result:
    """The result of one run."""

    per_second: float
    p99_milliseconds: float
    refused: int


@dataclass(frozen=True)
class Case:
    """A receiver to measure."""

    name: str
    postgres: bool = False
    workers: int = 1
    slow_flush: bool = False
    only_signature: bool = False


CASES = (
    Case("signature only", only_signature=True),
    Case("SQLite, 1 worker"),
    Case("SQLite, every flush 5 ms longer", slow_flush=True),
    Case("Postgres, 1 worker", postgres=True),
    Case("Postgres, 2 workers", postgres=True, workers=2),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6, help="length of a run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each case, interleaved; the median is printed")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--sender", choices=["wrk", "own"], default="wrk" if shutil.which("wrk") else "own")
    parser.add_argument(
        "--memory-events", type=int, metavar="N", help="measure the memory of one worker over N events instead"
    )
    parser.add_argument("--signature-only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.signature_only:
        serve_signature_only()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if arguments.memory_events:
            measure_memory(directory, arguments.memory_events, arguments.connections)
        else:
            compare(directory, arguments)


def compare(directory: Path, arguments: argparse.Namespace) -> None:
    """Run all cases, interleaved, and print their medians."""
    write_requests(directory / "requests", first=0, count=int(arguments.seconds * 40_000))
    (directory / "wrk.lua").write_text(WRK_SCRIPT)
    library = slow_flush_library(directory)
    results: dict[Case, list[Result]] = {case: [] for case in CASES if library or not case.slow_flush}
    with servers.postgres(directory / "postgres") as postgres:
        for turn in range(arguments.rounds):
            for number, case in enumerate(results):
                url = f"sqlite:///{directory}/{turn}-{number}.db"
                if case.postgres:
                    fresh_database(postgres, f"bench_{turn}_{number}")
                    url = postgres.url(f"bench_{turn}_{number}")
                with receiver(directory, case, url, library) as (address, _):
                    results[case].append(send(directory, address, arguments))
    print(f"{arguments.connections} connections, {arguments.seconds:g} s, sent by {arguments.sender}")
    print(f"{'case':34} {'requests/s':>10} {'of signature only':>18} {'p99 ms':>8} {'refused':>8}")
    base = statistics.median(result.per_second for result in results[CASES[0]])
    for case, runs in results.items():
        rate = statistics.median(run.per_second for run in runs)
        p99 = statistics.median(run.p99_milliseconds for run in runs)
        print(f"{case.name:34} {rate:10,.0f} {rate / base:18.0%} {p99:8.1f} {sum(run.refused for run in runs):8}")
    if library is None:
        print("the slow disk was skipped: it needs a C compiler (cc)")


def write_requests(file: Path, *, first: int, count: int) -> None:
    """Write requests in the format of wrk's script: the size in eight digits, then the request."""
    with file.open("wb") as opened:
        for number in range(first, first + count):
            request = make_request(number)
            opened.write(b"%08d" % len(request) + request)


def make_request(number: int) -> bytes:
    """A signed request with one event."""
    body = body_of(text(number, str(468_789_577_898_262_530 + number), "Chicken, please."))
    head = f"POST /webhook/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return f"{head}x-line-signature: {signature(body)}\r\n\r\n".encode() + body


def slow_flush_library(directory: Path) -> Path | None:
    """Compile the library that delays flushes; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = directory / "slow.c", directory / "slow.so"
    source.write_text(SLOW_FLUSH % SLOW_FLUSH_MICROSECONDS)
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


def fresh_database(postgres: servers.Postgres, name: str) -> None:
    import psycopg  # noqa: PLC0415 - only these cases need it

    with psycopg.connect(postgres.url(driver="postgresql"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())


@contextlib.contextmanager
def receiver(directory: Path, case: Case, store_url: str, library: Path | None) -> Iterator[tuple[str, int]]:
    """Run a receiver, and yield its URL and the id of its (first) process."""
    settings = {"channel_secret": SECRET, "store_url": store_url, "port": "0", "workers": str(case.workers)}
    environment = os.environ | {f"TAP_LINE_WEBHOOK_{name.upper()}": value for name, value in settings.items()}
    if case.slow_flush:
        environment["LD_PRELOAD"] = str(library)
    command: list[str | Path] = [servers.PROGRAMS / "tap-line-webhook", "serve"]
    if case.only_signature:
        command = [sys.executable, "-m", "benchmarks.webhook", "--signature-only"]
    with (
        (directory / "receiver.log").open("wb") as log,
        servers.running(command, env=environment, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1], process.pid


def serve_signature_only() -> None:
    """Serve without parsing and storing: every signed request gets 200."""
    from line_webhook.receiving import endpoint  # noqa: PLC0415 - for this process alone
    from line_webhook.server import serve  # noqa: PLC0415 - as above
    from line_webhook.settings_sources import load_settings  # noqa: PLC0415 - as above

    setattr(endpoint, "parse_events", lambda *_: [])  # noqa: B010 - replaces a function of the module
    serve(load_settings({}, os.environ))
    sys.exit()


def send(directory: Path, url: str, arguments: argparse.Namespace) -> Result:
    """Send for `--seconds`."""
    if arguments.sender == "own":
        return uvloop.run(send_from_here(directory / "requests", url, arguments.connections, arguments.seconds))
    command: list[str | Path] = ["wrk", "-t1", f"-c{arguments.connections}", f"-d{arguments.seconds:g}s", "--latency"]
    command += ["-s", directory / "wrk.lua", f"{url}/webhook/main", directory / "requests"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    assert rate, output
    assert p99, output
    return Result(
        float(rate[1]),
        float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]],
        int(refused[1]) if refused else 0,
    )


class Sender(asyncio.Protocol):
    """One connection: sends a request, waits for the response, sends the next."""

    def __init__(self, requests: Iterator[bytes], waits: list[float]) -> None:
        self._requests = requests
        self._waits = waits
        self.refused = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transport does not declare it
        self._next()

    def data_received(self, data: bytes) -> None:
        """Handle a response; it has no body, so it arrives in one piece."""
        self._waits.append(time.perf_counter() - self._started)
        self.refused += not data.startswith(b"HTTP/1.1 200")
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(error)

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(request)


async def send_from_here(file: Path, url: str, connections: int, seconds: float) -> Result:
    """Send from this process."""
    until = time.perf_counter() + seconds

    def in_time() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while time.perf_counter() < until and (size := opened.read(8)):
                yield opened.read(int(size))

    return await send_all(in_time(), url, connections)


async def send_all(requests: Iterator[bytes], url: str, connections: int) -> Result:
    """Send all requests."""
    waits: list[float] = []
    parts = urlsplit(url)
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: Sender(requests, waits), str(parts.hostname), parts.port or 0))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(sender.done for sender in senders))
    sorted_waits = sorted(waits)
    return Result(
        len(waits) / (time.perf_counter() - started),
        sorted_waits[int(len(waits) * 0.99)] * 1000,
        sum(sender.refused for sender in senders),
    )


def measure_memory(directory: Path, events: int, connections: int) -> None:
    """Send events to one worker on SQLite and print its memory in steps."""
    store_url = f"sqlite:///{directory}/store.db"
    steps = 10
    with receiver(directory, CASES[1], store_url, None) as (url, process):
        print(f"{'events':>12} {'resident MB':>12}")
        for step in range(steps + 1):
            print(f"{step * events // steps:12,} {resident_megabytes(process):12.1f}", flush=True)
            if step < steps:
                numbers = range(step * events // steps, (step + 1) * events // steps)
                sent = uvloop.run(send_all(map(make_request, numbers), url, connections))
                assert sent.refused == 0
    with open_store(store_url) as store, store.read() as connection:
        assert last_position(connection) >= events


def resident_megabytes(process: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main()
