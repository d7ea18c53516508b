"""Run `target-line` as a program against the sandbox."""

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
    from collections.abc import Sequence
    from pathlib import Path

    from line_core.store import Store


@dataclass
class TargetProgram:
    """The program, its settings, and the sandbox that it sends to."""

    sandbox: str
    """URL of the sandbox."""
    config_path: Path
    config: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, object] = field(default_factory=dict)
    """Module attributes to replace in the program; see `programs.start`."""

    def run(self, *records: tuple[str, dict[str, Any]], expect: int = 0, **settings: Any) -> str:
        """Run the program with input records, and return its log.

        Args:
            records: Stream names and records. A stream's schema is sent before its first record.
            expect: Expected exit code.
            settings: Further settings; None removes a setting.
        """
        process = self.start(*records, **settings)
        _, log = process.communicate(timeout=120)
        assert process.returncode == expect, log
        return log

    def states(self, *records: tuple[str, dict[str, Any]], **settings: Any) -> int:
        """Run the program with records and a STATE message behind them, and return how many it passes on."""
        state = {"type": "STATE", "value": {"bookmarks": {}}}
        process = self.start(*records, messages=[state], stdout=subprocess.PIPE, **settings)
        output, log = process.communicate(timeout=120)
        assert process.returncode == 0, log
        return len(output.splitlines())

    def open_store(self) -> Store:
        return open_store(self.config["store_url"])

    def start(
        self,
        *records: tuple[str, dict[str, Any]],
        messages: Sequence[dict[str, Any]] = (),
        stdout: int = subprocess.DEVNULL,
        **settings: Any,
    ) -> programs.Program:
        """Start the program with input records, and other Singer messages behind them; see `run`."""
        config = {name: value for name, value in {**self.config, **settings}.items() if value is not None}
        self.config_path.write_text(json.dumps(config))
        declared: set[str] = set()
        lines = []
        for stream, record in records:
            if stream not in declared:
                lines.append({"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []})
                declared.add(stream)
            lines.append({"type": "RECORD", "stream": stream, "record": record})
        lines += messages
        input_path = self.config_path.with_suffix(".jsonl")
        input_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return programs.start(
            "target-line",
            *("--config", self.config_path, "--input", input_path),
            environment={**os.environ, "TARGET_LINE_LOGLEVEL": "INFO"},
            stdout=stdout,
            patches=self.patches,
        )

    def admin(self, *arguments: str, expect: int = 0) -> str:
        """Run `target-line-admin` on the store, and return its output. `expect` is the expected exit code."""
        done = programs.run("target-line-admin", "--store-url", self.config["store_url"], *arguments)
        assert done.returncode == expect, done.stderr
        return done.stdout

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Return the rows of `target-line-admin deliveries` by message id."""
        with open_store(self.config["store_url"]) as store:
            return {row["message_id"]: row for row in listings.deliveries(store, "main")}

    def line_ids(self, count: int) -> list[str]:
        """Return LINE IDs of followers in the sandbox."""
        response = requests.get(f"{self.sandbox}/sandbox/users", params={"limit": count}, timeout=30)
        line_ids: list[str] = response.json()["line_ids"]
        return line_ids

    def deliveries(self) -> list[dict[str, Any]]:
        """Return all messages that the sandbox has delivered, in order."""
        response = requests.get(f"{self.sandbox}/sandbox/deliveries", timeout=30)
        deliveries: list[dict[str, Any]] = response.json()["deliveries"]
        return deliveries

    def summary(self) -> dict[str, Any]:
        """Return the counts of the sandbox."""
        summary: dict[str, Any] = requests.get(f"{self.sandbox}/sandbox/summary", timeout=30).json()
        return summary

    def request_counts(self, endpoint: str) -> dict[str, int]:
        """Return the number of requests of an endpoint by response status."""
        counts: dict[str, int] = self.summary()["requests"].get(endpoint, {})
        return counts

    def advance_clock(self, seconds: int) -> None:
        """Advance the clock of the sandbox."""
        response = requests.post(f"{self.sandbox}/sandbox/clock", json={"advance_seconds": seconds}, timeout=30)
        response.raise_for_status()

    def add_fault(self, kind: str, path: str = "/v2/bot/message/push", **options: Any) -> None:
        """Let POST requests to a path fail in the sandbox."""
        fault = {"method": "POST", "path": path, "kind": kind, **options}
        requests.post(f"{self.sandbox}/sandbox/faults", json=fault, timeout=30).raise_for_status()

    def request_in_progress(self) -> bool:
        """Return whether a fault has applied to a request."""
        faults = requests.get(f"{self.sandbox}/sandbox/faults", timeout=30).json()["faults"]
        return any(fault["met"] for fault in faults)

    def clear_faults(self) -> None:
        """Remove all faults of the sandbox."""
        requests.delete(f"{self.sandbox}/sandbox/faults", timeout=30).raise_for_status()

    def set_follow_state(self, line_id: str, state: str) -> None:
        """Let a user of the sandbox follow, block, or leave."""
        response = requests.post(f"{self.sandbox}/sandbox/users/{line_id}", json={"state": state}, timeout=30)
        response.raise_for_status()
