"""target-line as a user runs it, against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from line_core.store import open_store
from target_line.admin import listings
from tests.support import programs

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Target:
    """The program, its settings, and the sandbox it sends to."""

    sandbox: str
    config_path: Path
    config: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, object] = field(default_factory=dict)
    """Module attributes to replace in the program, as `programs.start` takes them."""

    def run(self, *records: tuple[str, dict[str, Any]], expect: int = 0, **settings: Any) -> str:
        """Pipe records (stream, record) into a run; what it logged.

        Args:
            records: Their streams are declared as they appear.
            expect: The exit code that is right.
            settings: More settings; None takes one out.
        """
        done = self.start(*records, **settings)
        _, log = done.communicate(timeout=120)
        assert done.returncode == expect, log
        return log

    def start(self, *records: tuple[str, dict[str, Any]], **settings: Any) -> programs.Program:
        """Start a run with all its input given."""
        config = {name: value for name, value in {**self.config, **settings}.items() if value is not None}
        self.config_path.write_text(json.dumps(config))
        declared: set[str] = set()
        lines = []
        for stream, record in records:
            if stream not in declared:
                lines.append({"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []})
                declared.add(stream)
            lines.append({"type": "RECORD", "stream": stream, "record": record})
        input_path = self.config_path.with_suffix(".jsonl")
        input_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return programs.start(
            "target-line",
            *("--config", self.config_path, "--input", input_path),
            environment={**os.environ, "TARGET_LINE_LOGLEVEL": "INFO"},
            stdout=subprocess.DEVNULL,
            patches=self.patches,
        )

    def admin(self, *arguments: str) -> str:
        """Run target-line-admin; what it printed."""
        done = programs.run("target-line-admin", "--store-url", self.config["store_url"], *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ledger(self) -> dict[str, dict[str, Any]]:
        """What the ledger says of each message."""
        with open_store(self.config["store_url"]) as store:
            return {row["message_id"]: row for row in listings.deliveries(store, "main")}

    def line_ids(self, count: int) -> list[str]:
        """LINE IDs of the sandbox's followers."""
        answer = requests.get(f"{self.sandbox}/sandbox/users", params={"limit": count}, timeout=30)
        listed: list[str] = answer.json()["line_ids"]
        return listed

    def deliveries(self) -> list[dict[str, Any]]:
        """What the sandbox's users got, in order."""
        answer = requests.get(f"{self.sandbox}/sandbox/deliveries", timeout=30)
        listed: list[dict[str, Any]] = answer.json()["deliveries"]
        return listed

    def summary(self) -> dict[str, Any]:
        """What the sandbox was asked for, and what it did."""
        answer: dict[str, Any] = requests.get(f"{self.sandbox}/sandbox/summary", timeout=30).json()
        return answer

    def requested(self, endpoint: str) -> dict[str, int]:
        """How often the sandbox was asked for an endpoint, by status."""
        counts: dict[str, int] = self.summary()["requests"].get(endpoint, {})
        return counts

    def advance_clock(self, seconds: int) -> None:
        """Let LINE's time pass."""
        answer = requests.post(f"{self.sandbox}/sandbox/clock", json={"advance_seconds": seconds}, timeout=30)
        answer.raise_for_status()

    def fault(self, kind: str, path: str = "/v2/bot/message/push", **how: Any) -> None:
        """Have LINE misbehave."""
        fault = {"method": "POST", "path": path, "kind": kind, **how}
        requests.post(f"{self.sandbox}/sandbox/faults", json=fault, timeout=30).raise_for_status()

    def mend(self) -> None:
        """Have LINE behave again."""
        requests.delete(f"{self.sandbox}/sandbox/faults", timeout=30).raise_for_status()

    def set_user(self, line_id: str, state: str) -> None:
        """Have a user follow, block or leave."""
        answer = requests.post(f"{self.sandbox}/sandbox/users/{line_id}", json={"state": state}, timeout=30)
        answer.raise_for_status()
