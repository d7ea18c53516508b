"""Kill target-line again and again while it sends, with LINE at its worst, and judge by what the people got.

What a message's text says is unique to the message and its recipient, or to a content that many are to get once, so the
sandbox alone tells whether each got each once.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from tests.support import programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Got = tuple[str, str]
"""A text and who is to get it."""

FAULTS: list[dict[str, Any]] = [
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
"""Few messages then make many claims, each read ahead while others are sent."""
_PERSONAL = 60
_SHARED = 300
_CONTENTS = 20
_LONGEST_START = 1.0
_LONGEST_SENDING = 1.2
_LAST_RUNS = 20


@contextlib.contextmanager
def sandbox(directory: Path) -> Iterator[str]:
    """A sandbox that answers after a while, and remembers who got what."""
    options = ("--port", "0", "--followers", "1000", "--seed", "1", "--latency-ms", "20", "--no-access-log")
    with programs.serve("line-sandbox", "serve", *options, log=directory / "sandbox.log") as url:
        yield url


@dataclass
class Sweep:
    """Runs of target-line on one store against one sandbox."""

    sandbox: str
    directory: Path
    store_url: str
    processes: int = 1
    """How many send at once."""
    patches: Mapping[str, object] = field(default_factory=dict)
    """Module attributes to replace in target-line, as `programs.start` takes them."""
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    wanted: Counter[Got] = field(default_factory=Counter)
    """Everything that was asked for, once each."""
    kills: int = 0
    """How many processes were killed while they worked."""
    _rounds: int = 0

    def run(self, kills: int) -> None:
        """Have messages sent, killing so many processes under way, then go on until all is sent."""
        people = self._get("users", limit=1000)["line_ids"]
        for number, fault in enumerate(FAULTS):
            self._post("faults", {"method": "POST", "path": "/v2/bot/message", "seed": number, **fault})
        while self.kills < kills:
            self._round(people, kills)
        requests.delete(f"{self.sandbox}/sandbox/faults", timeout=30).raise_for_status()
        for _ in range(_LAST_RUNS):
            if self._start().wait() == 0:
                return
        raise AssertionError(f"the last runs failed: {(self.directory / 'target.log').read_text()[-2000:]}")

    def lost(self) -> Counter[Got]:
        """What somebody should have got and did not."""
        return self.wanted - self._got()

    def too_many(self) -> Counter[Got]:
        """What somebody got more often than once, or should not have got at all."""
        return self._got() - self.wanted

    def _round(self, people: list[str], kills: int) -> None:
        """Give new messages in, and run until a run has sent them all or enough were killed."""
        self._rounds += 1
        self._write_input(people)
        ended_well = False
        while not ended_well and self.kills < kills:
            running = [self._start() for _ in range(self.processes)]
            before = self._requests()
            for process in running:
                self._let_live(process, before)
                if process.poll() is None and self.kills < kills:
                    process.kill()
                    self.kills += 1
            ended_well = 0 in [process.wait() for process in running]
        print(f"{self.kills:,} of {kills:,} kills, {self.wanted.total():,} messages", flush=True)  # noqa: T201 - seen with -s

    def _let_live(self, process: programs.Program, before: int) -> None:
        """Wait until a random moment of a process's life, mostly while it sends."""
        end = time.monotonic() + self.chance.uniform(0, _LONGEST_START)
        if self.chance.random() < 0.85:
            while process.poll() is None and self._requests() == before:
                time.sleep(0.02)
            end = time.monotonic() + self.chance.uniform(0, _LONGEST_SENDING)
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)

    def _write_input(self, people: list[str]) -> None:
        records = [(f"{self._rounds}-{number}", to) for number, to in enumerate(self.chance.sample(people, _PERSONAL))]
        for number in range(_CONTENTS):
            text = f"{self._rounds} to many {number}"
            records += [(text, to) for to in self.chance.sample(people, _SHARED // _CONTENTS)]
        self.wanted.update(records)
        lines: list[dict[str, Any]] = [
            {"type": "SCHEMA", "stream": "messages", "schema": {"properties": {}}, "key_properties": []}
        ]
        lines += [
            {
                "type": "RECORD",
                "stream": "messages",
                "record": {"message_id": f"{text} {to}", "line_id": to, "text": text},
            }
            for text, to in records
        ]
        (self.directory / "input.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _start(self) -> programs.Program:
        settings = {
            "api_url": self.sandbox,
            "channel_access_token": "sandbox-token",
            "store_url": self.store_url,
            "max_requests_per_second": 80,
            "request_timeout_seconds": 1,
        }
        config = self.directory / "config.json"
        if not config.exists():
            config.write_text(json.dumps(settings))
        with (self.directory / "target.log").open("ab") as log:
            return programs.start(
                "target-line",
                *("--config", config, "--input", self.directory / "input.jsonl"),
                stdout=subprocess.DEVNULL,
                stderr=log,
                patches={**SMALL_PAGES, **self.patches},
            )

    def _requests(self) -> int:
        """How many sends the sandbox has seen."""
        counted = self._get("summary")["requests"]
        return sum(sum(counted.get(f"POST /v2/bot/message/{way}", {}).values()) for way in ("push", "multicast"))

    def _got(self) -> Counter[Got]:
        got: Counter[Got] = Counter()
        while page := self._get("deliveries", offset=got.total(), limit=10_000)["deliveries"]:
            got.update((delivery["messages"][0]["text"], delivery["line_id"]) for delivery in page)
        return got

    def _get(self, what: str, **parameters: int) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.sandbox}/sandbox/{what}", params=parameters, timeout=30).json()
        return answer

    def _post(self, what: str, body: dict[str, Any]) -> None:
        requests.post(f"{self.sandbox}/sandbox/{what}", json=body, timeout=30).raise_for_status()
