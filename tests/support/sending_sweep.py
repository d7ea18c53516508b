"""Kill `target-line` repeatedly while it sends and the sandbox fails, then compare the deliveries with the input.

Each expected delivery is a text and a LINE ID that together occur once in the input. So the sandbox's deliveries alone
show lost and repeated messages.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from sqlalchemy import select

from line_core.message_status import MessageStatus
from line_core.store import open_store
from line_core.store.clock import database_now
from line_core.store.tables.ledger import messages
from tests.support import programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

Delivery = tuple[str, str]
"""Text and LINE ID."""

_PROXY = {"body": "<html>Access denied</html>", "headers": {"content-type": "text/html"}}
FAULTS: list[dict[str, Any]] = [
    {"kind": "status_after_accept", "status": 403, "probability": 0.02, **_PROXY},
    {"kind": "status_after_accept", "status": 400, "probability": 0.02, **_PROXY},
    {"kind": "status", "status": 200, "probability": 0.02, **_PROXY},
    {"kind": "status", "status": 500, "probability": 0.03},
    {"kind": "status_after_accept", "status": 500, "probability": 0.04},
    {"kind": "drop_before", "probability": 0.02},
    {"kind": "drop_after_accept", "probability": 0.04},
    {"kind": "timeout", "seconds": 30, "probability": 0.004},
    {"kind": "timeout_after_accept", "seconds": 30, "probability": 0.006},
    {"kind": "status", "status": 429, "probability": 0.01},
    {"kind": "malformed", "probability": 0.02},
    {"kind": "slow", "seconds": 0.4, "probability": 0.05},
]
SMALL_PAGES: dict[str, object] = {"target_line.sending.decide.decider.PAGE_SIZE": 50}
"""With small pages, few messages need many claims, and pages are prefetched while others are sent."""
_CLOCK_OF_CLAIMS = "target_line.sending.claim.claims.database_now"
_MAX_JUMP = timedelta(days=3)
_UNIQUE_TEXTS = 60
"""Messages per round whose text has one recipient."""
_SHARED_TEXTS = 20
_RECIPIENTS_PER_SHARED_TEXT = 15
_MAX_START_SECONDS = 1.0
_MAX_SENDING_SECONDS = 1.2
_MAX_FINAL_RUNS = 20


@contextlib.contextmanager
def sandbox(directory: Path) -> Iterator[str]:
    """Run a sandbox with a latency of 20 ms and yield its URL."""
    options = ("--port", "0", "--followers", "1000", "--seed", "1", "--latency-ms", "20", "--no-access-log")
    with programs.serve("line-sandbox", "serve", *options, log=directory / "sandbox.log") as url:
        yield url


@dataclass(frozen=True)
class WrongClock:
    """The clock of a database that is wrong by a duration."""

    difference: timedelta

    def __call__(self, connection: Connection) -> datetime:
        return database_now(connection) + self.difference


@dataclass
class Sweep:
    """Runs of `target-line` on one store against one sandbox."""

    sandbox: str
    directory: Path
    store_url: str
    processes: int = 1
    """Number of processes that send at the same time."""
    patches: Mapping[str, object] = field(default_factory=dict)
    """Module attributes to replace in the program; see `programs.start`."""
    clock_jumps: bool = False
    """Whether the database's clock is wrong by up to three days in every third process."""
    max_requests_per_second: int = 80
    random: random.Random = field(default_factory=lambda: random.Random(11))
    expected: Counter[Delivery] = field(default_factory=Counter)
    """All deliveries of the input, once each."""
    kills: int = 0
    """Number of processes that were killed while they ran."""
    input: list[dict[str, Any]] = field(default_factory=list)
    """The Singer messages that the runs read now."""
    _rounds: int = 0

    @property
    def input_file(self) -> Path:
        """The file that the runs read."""
        return self.directory / "input.jsonl"

    def run(self, kills: int) -> None:
        """Kill a number of processes, then remove the faults and run until everything is sent."""
        line_ids = self._get("users", limit=1000)["line_ids"]
        for number, fault in enumerate(FAULTS):
            self._post("faults", {"method": "POST", "path": "/v2/bot/message", "seed": number, **fault})
        while self.kills < kills:
            self._run_round(line_ids, kills)
        requests.delete(f"{self.sandbox}/sandbox/faults", timeout=30).raise_for_status()
        for _ in range(_MAX_FINAL_RUNS):
            if self._start(final=True).wait() == 0:
                return
        raise AssertionError(f"the final runs failed: {(self.directory / 'target.log').read_text()[-2000:]}")

    def lost(self) -> Counter[Delivery]:
        """Return expected deliveries that are missing, and that the ledger does not call unknown."""
        return self.expected - self._deliveries() - self._unknown()

    def unexpected(self) -> Counter[Delivery]:
        """Return repeated deliveries, and deliveries that are not in the input."""
        return self._deliveries() - self.expected

    def _run_round(self, line_ids: list[str], kills: int) -> None:
        """Write new input, and run until a run succeeds or enough processes are killed."""
        self._rounds += 1
        self._write_input(line_ids)
        succeeded = False
        while not succeeded and self.kills < kills:
            self._before_start()
            running = [self._start() for _ in range(self.processes)]
            before = self._request_count()
            for process in running:
                self._wait_until_random_moment(process, before)
                if process.poll() is None:
                    self._before_kill()
                if process.poll() is None and self.kills < kills:
                    process.kill()
                    self.kills += 1
            succeeded = 0 in [process.wait() for process in running]
        print(f"{self.kills:,} of {kills:,} kills, {self.expected.total():,} messages", flush=True)  # noqa: T201 - progress

    def _before_start(self) -> None:
        """Do nothing; a subclass can change the input before runs start."""

    def _before_kill(self) -> None:
        """Do nothing; a subclass can change messages while runs send."""

    def _wait_until_random_moment(self, process: programs.Program, requests_before: int) -> None:
        """Wait for a random time from the start of the process, or in most cases from its first request."""
        end = time.monotonic() + self.random.uniform(0, _MAX_START_SECONDS)
        if self.random.random() < 0.85:
            while process.poll() is None and self._request_count() == requests_before:
                time.sleep(0.02)
            end = time.monotonic() + self.random.uniform(0, _MAX_SENDING_SECONDS)
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)

    def _write_input(self, line_ids: list[str]) -> None:
        recipients = self.random.sample(line_ids, _UNIQUE_TEXTS)
        deliveries = [(f"{self._rounds}-{number}", line_id) for number, line_id in enumerate(recipients)]
        for number in range(_SHARED_TEXTS):
            text = f"{self._rounds} to many {number}"
            deliveries += [(text, line_id) for line_id in self.random.sample(line_ids, _RECIPIENTS_PER_SHARED_TEXT)]
        self.expected.update(deliveries)
        self.input = [{"type": "SCHEMA", "stream": "messages", "schema": {"properties": {}}, "key_properties": []}]
        self.input += [
            {
                "type": "RECORD",
                "stream": "messages",
                "record": {"message_id": f"{text} {line_id}", "line_id": line_id, "text": text},
            }
            for text, line_id in deliveries
        ]
        self._save_input()

    def _save_input(self) -> None:
        self.input_file.write_text("".join(json.dumps(line) + "\n" for line in self.input))

    def _unknown(self) -> Counter[Delivery]:
        """Return the messages of which the ledger says that it does not know whether LINE accepted them."""
        query = select(messages.c.record).where(messages.c.status == MessageStatus.UNKNOWN)
        with open_store(self.store_url) as store, store.read() as connection:
            return Counter((record["text"], record["line_id"]) for record in connection.execute(query).scalars())

    def _clock(self) -> dict[str, object]:
        if not self.clock_jumps or self.random.random() < 2 / 3:
            return {}
        return {_CLOCK_OF_CLAIMS: WrongClock(self.random.uniform(-1, 1) * _MAX_JUMP)}

    def _start(self, *, final: bool = False) -> programs.Program:
        settings = {
            "api_url": self.sandbox,
            "channel_access_token": "sandbox-token",
            "store_url": self.store_url,
            "max_requests_per_second": self.max_requests_per_second,
            "request_timeout_seconds": 1,
        }
        config = self.directory / "config.json"
        if not config.exists():
            config.write_text(json.dumps(settings))
        with (self.directory / "target.log").open("ab") as log:
            return programs.start(
                "target-line",
                *("--config", config, "--input", self.input_file),
                stdout=subprocess.DEVNULL,
                stderr=log,
                patches={**SMALL_PAGES, **self.patches, **({} if final else self._clock())},
            )

    def _request_count(self) -> int:
        """Return the number of send requests that the sandbox has received."""
        counts = self._get("summary")["requests"]
        endpoints = [f"POST /v2/bot/message/{method}" for method in ("push", "multicast")]
        return sum(sum(counts.get(endpoint, {}).values()) for endpoint in endpoints)

    def _deliveries(self) -> Counter[Delivery]:
        deliveries: Counter[Delivery] = Counter()
        while page := self._get("deliveries", offset=deliveries.total(), limit=10_000)["deliveries"]:
            deliveries.update((delivery["messages"][0]["text"], delivery["line_id"]) for delivery in page)
        return deliveries

    def _get(self, path: str, **parameters: int) -> dict[str, Any]:
        url = f"{self.sandbox}/sandbox/{path}"
        body: dict[str, Any] = requests.get(url, params=parameters, timeout=30).json()
        return body

    def _post(self, path: str, body: dict[str, Any]) -> None:
        requests.post(f"{self.sandbox}/sandbox/{path}", json=body, timeout=30).raise_for_status()
