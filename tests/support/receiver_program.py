"""Run the program `tap-line-webhook`; a client for requests and a client for raw bytes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import requests

from examples.demo import servers
from line_core.store import open_store
from line_core.store.inbox import InboxEvent, read_events
from tests.support import programs
from tests.support.webhook_events import SECRET, body_of, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "TAP_LINE_WEBHOOK_"


@dataclass
class Receiver:
    """A running `tap-line-webhook serve`, with methods to send signed requests and inspect the result."""

    url: str
    store_url: str
    log: Path

    def post(
        self, body: bytes, *, sent_signature: str | None = None, channel: str = "main", **options: Any
    ) -> requests.Response:
        headers = {"x-line-signature": signature(body) if sent_signature is None else sent_signature}
        return requests.post(f"{self.url}/webhook/{channel}", data=body, headers=headers, timeout=10, **options)

    def send(self, *events: dict[str, Any]) -> int:
        return self.post(body_of(*events)).status_code

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=10)

    def stored(self) -> list[InboxEvent]:
        with open_store(self.store_url) as store, store.read() as connection:
            return read_events(connection, 0, 1_000_000)

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def metric(self, name: str) -> float:
        (line,) = [line for line in self.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
        return float(line.rpartition(" ")[2])

    def wait_until_ready(self, *, is_ready: bool = True) -> None:
        deadline = time.monotonic() + 20
        while (self.get("/ready").status_code == 200) is not is_ready:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def environment(**settings: object) -> dict[str, str]:
    """Return the current environment with exactly these receiver settings."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {"channel_secret": SECRET, **settings}
    return others | {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}


@contextlib.contextmanager
def running_receiver(
    directory: Path, store_url: str, *, is_installed: bool = False, **settings: Any
) -> Iterator[Receiver]:
    """Run the receiver with settings from the environment.

    Args:
        directory: The directory of the log.
        store_url: URL of the store.
        is_installed: Run the installed program, so that its processes have these settings in their environment. It is
            also run for several workers, which are separate processes.
        settings: More settings.
    """
    log = directory / "receiver.log"
    run = servers.program if is_installed or "workers" in settings else programs.serve
    with run(
        "tap-line-webhook",
        "serve",
        "--port",
        "0",
        environment=environment(store_url=store_url, **settings),
        log=log,
    ) as url:
        yield Receiver(url, store_url, log)


def process_ids(store_url: str) -> list[int]:
    """Return the process IDs of the receiver with this store, oldest first."""
    variable = f"{PREFIX}STORE_URL={store_url}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and variable in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return sorted(found)


class Connection:
    """A TCP connection that sends arbitrary bytes."""

    def __init__(self, receiver: Receiver) -> None:
        parts = urlsplit(receiver.url)
        self.socket = socket.create_connection((str(parts.hostname), parts.port or 0), timeout=15)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def is_closed_within(self, seconds: float) -> bool:
        """Tell whether the receiver closes the connection within this time."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True
