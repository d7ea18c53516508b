"""tap-line as a user runs it."""

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
    """What a run wrote."""

    messages: list[Message]
    log: str
    exit_code: int

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Records by stream, in their order."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found

    @property
    def schemas(self) -> dict[str, Message]:
        """SCHEMA messages by stream."""
        return {message["stream"]: message for message in self.messages if message["type"] == "SCHEMA"}

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        return last_state(self.messages)

    @property
    def errors(self) -> list[str]:
        """The log's lines at level ERROR."""
        return [line for line in self.log.splitlines() if "| ERROR" in line]


def last_state(messages: Iterable[Message]) -> dict[str, Any]:
    """The state after some messages, as a target would keep it."""
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    return states[-1] if states else {}


def parse(output: str) -> list[Message]:
    """The messages of a run's output; a last line that was cut off by a kill is no message."""
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]


@dataclass
class Tap:
    """The program and its settings."""

    directory: Path
    config: dict[str, Any] = field(default_factory=dict)
    patches: dict[str, object] = field(default_factory=dict)
    """Module attributes to replace in the program, as `programs.start` takes them."""

    def run(self, *streams: str, expect: int = 0, state: dict[str, Any] | None = None, **settings: Any) -> Output:
        """Run it to its end.

        Args:
            streams: Streams to select; none for all.
            expect: The exit code that is right.
            state: The state to begin with.
            settings: More settings; None takes one out.
        """
        process = self.start(*streams, state=state, **settings)
        out, log = process.communicate(timeout=180)
        assert process.returncode == expect, log
        return Output(parse(out), log, process.returncode)

    def start(self, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> programs.Program:
        """Start it."""
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
        """Run it with other arguments."""
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
