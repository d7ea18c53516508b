"""Run tap-line as a subprocess."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_line.tap import TapLine
from tests.support import programs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from subprocess import CompletedProcess

Message = dict[str, Any]


@dataclass
class Output:
    """Output of a run."""

    messages: list[Message]
    log: str
    exit_code: int

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Records by stream, in the order of the output."""
        by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                by_stream[message["stream"]].append(message["record"])
        return by_stream

    @property
    def schemas(self) -> dict[str, Message]:
        """SCHEMA messages by stream."""
        return {message["stream"]: message for message in self.messages if message["type"] == "SCHEMA"}

    @property
    def state(self) -> dict[str, Any]:
        """Value of the last STATE message."""
        return last_state(self.messages)

    @property
    def errors(self) -> list[str]:
        """Log lines at level ERROR."""
        return [line for line in self.log.splitlines() if "| ERROR" in line]


def last_state(messages: Iterable[Message]) -> dict[str, Any]:
    """Return the value of the last STATE message, or an empty state."""
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    return states[-1] if states else {}


def parse(output: str) -> list[Message]:
    """Parse the messages of a run's output. An incomplete last line (of a killed run) is ignored."""
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]


@dataclass
class Tap:
    """tap-line with its settings."""

    directory: Path
    config: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, object] = field(default_factory=dict)
    """Module attributes to replace in the program; see `programs.start`."""

    def run(self, *streams: str, expect: int = 0, state: dict[str, Any] | None = None, **settings: Any) -> Output:
        """Run the tap and wait for its end.

        Args:
            streams: Streams to select; empty for all streams.
            expect: Expected exit code.
            state: State at the start.
            settings: Additional settings; None removes a setting.
        """
        process = self.start(*streams, state=state, **settings)
        out, log = process.communicate(timeout=180)
        assert process.returncode == expect, log
        return Output(parse(out), log, process.returncode)

    def start(self, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> programs.Program:
        """Start the tap without waiting for its end; see `run`."""
        config = {name: value for name, value in {**self.config, **settings}.items() if value is not None}
        arguments: list[str | Path] = ["--config", self._write("config", config)]
        if streams:
            arguments += ["--catalog", self._write("catalog", self._catalog(*streams))]
        if state is not None:
            arguments += ["--state", self._write("state", state)]
        return programs.start(
            "tap-line",
            *arguments,
            directory=self.directory,
            environment={**os.environ, "TAP_LINE_LOGLEVEL": "INFO"},
            patches=self.patches,
        )

    def call(self, *arguments: str) -> CompletedProcess[str]:
        """Run the tap with the given command-line arguments."""
        return programs.run("tap-line", *arguments, directory=self.directory)

    def _catalog(self, *streams: str) -> dict[str, Any]:
        tap = TapLine(config=self.config, validate_config=False, setup_mapper=False)
        catalog: dict[str, Any] = json.loads(tap.catalog_json_text)
        for stream in catalog["streams"]:
            for metadata in stream["metadata"]:
                if metadata["breadcrumb"] == []:
                    metadata["metadata"]["selected"] = stream["tap_stream_id"] in streams
        return catalog

    def _write(self, name: str, content: object) -> Path:
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps(content))
        return path
