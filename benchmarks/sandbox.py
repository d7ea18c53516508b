"""Throughput of `line-sandbox` on one core, and its memory.

Baseline: the same web server (uvicorn) on the same core, which responds `{}` to every request. The load generator runs
on another core. Where the server's core is not fully busy, the load generator is the bottleneck, and the table says so.

    .venv/bin/python -m benchmarks.sandbox
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(sys.executable).with_name("line-sandbox")
TOKEN = "sandbox-token"
BUSY = 0.9
BASELINE = """
import uvicorn

async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})

uvicorn.run(app, port=%d, log_level="warning", access_log=False, lifespan="off", proxy_headers=False)
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def cpu_seconds(self) -> float:
        """Return the CPU time of its process."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        """Return the resident memory of its process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    def request(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Send a request and return the JSON of the response."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=120) as response:
            return json.load(response)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of each measurement (default: 5)")
    parser.add_argument("--connections", type=int, default=32, help="requests in flight (default: 32)")
    parser.add_argument("--pushes", type=int, default=100_000, help="deliveries whose memory is measured")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    measure_speed(arguments.seconds, arguments.connections, cores[0])
    measure_memory(arguments.pushes, arguments.connections, cores[0])


def measure_speed(seconds: float, connections: int, core: int) -> None:
    """Print requests per second."""
    print(f"{'server':<34}{'requests':<16}{'per second':>11}{'p99 ms':>8}{'core busy':>11}")
    with baseline(core) as server:
        show("bare uvicorn (baseline)", "GET", server, get(["/"]), seconds, connections)
    for name, options in (("line-sandbox", ()), ("line-sandbox --no-access-log", ("--no-access-log",))):
        with sandbox(core, "--no-rate-limits", *options) as server:
            people = server.request("/sandbox/users?limit=1000")["line_ids"]
            show(name, "GET profile", server, get([f"/v2/bot/profile/{one}" for one in people]), seconds, connections)
            show(name, "POST push", server, push(people), seconds, connections)
            show(name, "POST multicast", server, multicast(people[:500]), seconds, connections)


def measure_memory(pushes: int, connections: int, core: int) -> None:
    """Print resident memory."""
    print(f"\n{'memory':<44}{'MB':>8}{'bytes each':>12}")
    for followers in (1_000, 10_000_000):
        with sandbox(core, "--no-rate-limits", "--no-access-log", "--followers", str(followers)) as server:
            people = server.request("/sandbox/users?limit=1000")["line_ids"]
            before = server.resident_megabytes()
            print(f"{followers:>10,} followers{before:>33.1f}")
            asyncio.run(load(server.port, push(people), pushes / connections, connections))
            after = server.resident_megabytes()
            each = (after - before) * 2**20 / pushes
            print(f"{'':>10} + {pushes:,} pushes, each with a retry key{'':<2}{after:>8.1f}{each:>12.0f}")
            server.request("/v2/bot/message/broadcast", {"messages": [{"type": "text", "text": "hello"}]})
            grown = server.resident_megabytes()
            each = (grown - after) * 2**20 / followers
            print(f"{'':>10} + a broadcast to all{grown:>18.1f}{each:>12.1f}")


def show(  # noqa: PLR0913, PLR0917 - the parts of a row
    name: str, what: str, server: Server, requests: Iterator[bytes], seconds: float, connections: int
) -> None:
    """Measure a row and print it."""
    asyncio.run(load(server.port, requests, 50, connections))
    cpu = server.cpu_seconds()
    started = time.perf_counter()
    waits = uvloop.run(load(server.port, requests, float("inf"), connections, until=started + seconds))
    passed = time.perf_counter() - started
    busy = (server.cpu_seconds() - cpu) / passed
    p99 = sorted(waits)[int(len(waits) * 0.99)] * 1000
    remark = "" if busy >= BUSY else "  the generator is the bottleneck"
    print(f"{name:<34}{what:<16}{len(waits) / passed:>11,.0f}{p99:>8.1f}{busy:>11.0%}{remark}", flush=True)


class Client(asyncio.Protocol):
    """One connection that sends the next request when it has the response to the last one."""

    def __init__(self, requests: Iterator[bytes], each: float, until: float, waits: list[float]) -> None:
        """Store what to send.

        Args:
            requests: The requests.
            each: The maximum number of requests.
            until: The end, by `time.perf_counter`.
            waits: Receives the duration of each request, in seconds.
        """
        self.ended = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._left = each
        self._until = until
        self._waits = waits
        self._started = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # it is one for reading and writing
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read a response, and send the next request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._waits.append(time.perf_counter() - self._started)
        self._received = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self.ended.set_exception(RuntimeError(head.decode()))
        elif self._left > 0 and time.perf_counter() < self._until:
            self._send()
        else:
            self.ended.set_result(None)
            self._transport.close()

    def _send(self) -> None:
        self._left -= 1
        self._started = time.perf_counter()
        self._transport.write(next(self._requests))


async def load(
    port: int, requests: Iterator[bytes], each: float, connections: int, *, until: float = float("inf")
) -> list[float]:
    """Send requests over several connections, one at a time on each, and return the durations in seconds.

    Raises:
        RuntimeError: A response is not 200.
    """
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(requests, each, until, waits), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(client.ended for client in clients))
    return waits


def get(paths: list[str]) -> Iterator[bytes]:
    """Yield GET requests of the paths, repeatedly."""
    return cycle(
        f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode() for path in paths
    )


def push(people: list[str]) -> Iterator[bytes]:
    """Yield pushes to the people, repeatedly, each with a different text and retry key."""
    for number, line_id in enumerate(cycle(people)):
        body = {"to": line_id, "messages": [{"type": "text", "text": f"Hello, this is message {number}."}]}
        yield post("/v2/bot/message/push", body)


def multicast(people: list[str]) -> Iterator[bytes]:
    """Yield multicasts to the people."""
    while True:
        yield post("/v2/bot/message/multicast", {"to": people, "messages": [{"type": "text", "text": "Hello."}]})


def post(path: str, body: dict[str, Any]) -> bytes:
    """Return a request with a retry key."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        f"X-Line-Retry-Key: {uuid.uuid4()}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def on_core(core: int) -> Callable[[], None]:
    """Return a function that binds a process to one core."""
    return lambda: os.sched_setaffinity(0, {core})


@contextmanager
def sandbox(core: int, *options: str) -> Iterator[Server]:
    """Run a sandbox on one core."""
    command = [str(PROGRAM), "serve", "--port", "0", *options]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=on_core(core)) as process,  # noqa: PLW1509 - no threads here
    ):
        try:
            if process.stdout is None:
                raise RuntimeError("no output")
            yield Server(process.pid, process.stdout.readline().split()[-1])
        finally:
            process.terminate()


@contextmanager
def baseline(core: int, port: int = 18899) -> Iterator[Server]:
    """Run the baseline server on one core."""
    with subprocess.Popen([sys.executable, "-c", BASELINE % port], preexec_fn=on_core(core)) as process:  # noqa: PLW1509 - as above
        try:
            server = Server(process.pid, f"http://127.0.0.1:{port}")
            for _ in range(100):
                try:
                    server.request("/")
                    break
                except OSError:
                    time.sleep(0.1)
            yield server
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
