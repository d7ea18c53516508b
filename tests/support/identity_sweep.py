"""Load generated identity records with target-line, also with kills, and read the resulting identities."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support import programs
from tests.support.people import line_id, minute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Record = tuple[str, dict[str, Any]]


def generate_records(records: int, seed: int) -> list[Record]:
    """Generate records of `records / 10` persons who share, transfer and drop identifiers, with all kinds of values."""
    rng = random.Random(seed)
    persons = max(records // 10, 3)
    return [
        _follow_record(rng, persons) if rng.random() < 0.3 else _profile_record(rng, persons) for _ in range(records)
    ]


def _follow_record(rng: random.Random, persons: int) -> Record:
    return "follows", {
        "line_id": line_id(rng.randrange(persons) + 1),
        "type": rng.choice(["follow", "follow", "unfollow"]),
        "occurred_at": minute(1),
        "channel": rng.choice(["main", "main", "shop"]),
    }


def _profile_record(rng: random.Random, persons: int) -> Record:
    """Most records contain the person's own identifiers, some contain an identifier of another person."""
    person = rng.randrange(persons)

    def mostly_own() -> int:
        return person if rng.random() < 0.95 else rng.randrange(persons)

    named: dict[str, Any] = {}
    if rng.random() < 0.7:
        named["id"] = f"c-{person}"
    if rng.random() < 0.6:
        named["email"] = "info@example.com" if rng.random() < 0.05 else f"p{mostly_own()}@example.com"
    if rng.random() < 0.6 or not named:
        named["line_id"] = line_id(mostly_own() + 1)
    if rng.random() < 0.05:
        named |= rng.choice([{"id": "guest"}, {"line_id": line_id(persons + 1)}])  # many persons share them
    if "id" in named and rng.random() < 0.1:
        named |= rng.choice([{"email": None}, {"line_id": ""}])
    optional = {"linked_at": minute(rng.randrange(1, 1000)), "unsubscribed": rng.choice([True, "no", None])}
    return "profiles", {
        **named,
        **{name: value for name, value in optional.items() if rng.random() < 0.05},
        "updated_at": minute(rng.randrange(1, 1000)) if rng.random() < 0.9 else None,
        "plan": rng.choice(["free", "gold", None]),
    }


@dataclass(frozen=True)
class IdentityLoad:
    """Runs of target-line that load files of records into one store."""

    directory: Path
    store_url: str

    def write(self, records: Sequence[Record], name: str = "records") -> Path:
        """Write records to a file as Singer messages."""
        file = self.directory / f"{name}.jsonl"
        schemas: Iterator[dict[str, Any]] = (
            {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
            for stream in ("profiles", "follows")
        )
        lines = (
            *schemas,
            *({"type": "RECORD", "stream": stream, "record": record} for stream, record in records),
        )
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return file

    def start(self, file: Path, **settings: Any) -> programs.Program:
        """Start a run that loads a file."""
        config = file.with_suffix(".config.json")
        bounds = {"max_people_per_email": 20, "max_people_per_line_id": 20, "max_identifiers_per_id": 20}
        all_settings = {"store_url": self.store_url, "null_identifiers": "clear", **bounds, **settings}
        config.write_text(json.dumps(all_settings))
        with file.with_suffix(".log").open("wb") as log:
            return programs.start(
                "target-line", "--config", config, "--input", file, stdout=subprocess.DEVNULL, stderr=log
            )

    def run(self, file: Path, **settings: Any) -> None:
        """Load a file in a complete run."""
        process = self.start(file, **settings)
        assert process.wait(timeout=600) == 0, file.with_suffix(".log").read_text()

    def run_killed(self, file: Path, kills: int, rng: random.Random, seconds: float, **settings: Any) -> None:
        """Start runs until `kills` of them were killed before their end, each at a random time.

        Args:
            file: The records.
            kills: How many runs to kill.
            rng: Draws the times.
            seconds: About how long a whole run takes on this machine.
            settings: Settings of target-line.
        """
        killed = 0
        while killed < kills:
            process = self.start(file, **settings)
            time.sleep(rng.uniform(0, seconds))
            killed += process.poll() is None
            process.kill()
            process.wait()

    def identities(self) -> bytes:
        """Return the identities as target-line-admin prints them."""
        done = programs.run(
            "target-line-admin", "--store-url", self.store_url, "identities", "--format", "jsonl", timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.encode()
