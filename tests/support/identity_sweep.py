"""Load people with target-line, killed at random moments or by two at once, and compare the bytes that come out."""

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


def crowd(records: int, seed: int) -> list[Record]:
    """Records of people who share, hand over and give up identifiers, a tenth as many as there are records."""
    chance = random.Random(seed)
    people = max(records // 10, 3)

    def anybody() -> int:
        return chance.randrange(people)

    made: list[Record] = []
    for _ in range(records):
        at = minute(chance.randrange(1, 1000)) if chance.random() < 0.9 else None
        if chance.random() < 0.3:
            kind = chance.choice(["follow", "follow", "unfollow"])
            made.append(("follows", {"line_id": line_id(anybody() + 1), "type": kind, "occurred_at": minute(1)}))
            continue
        person = anybody()
        # Most name themselves; some say another's id, email or LINE ID, as data that comes from people does.
        named: dict[str, Any] = {}
        if chance.random() < 0.7:
            named["id"] = f"c-{person}"
        if chance.random() < 0.6:
            named["email"] = f"p{person if chance.random() < 0.95 else anybody()}@example.com"
            if chance.random() < 0.05:
                named["email"] = "info@example.com"
        if chance.random() < 0.6 or not named:
            named["line_id"] = line_id((person if chance.random() < 0.95 else anybody()) + 1)
        plan = chance.choice(["free", "gold", None])
        made.append(("profiles", {**named, "updated_at": at, "plan": plan}))
    return made


@dataclass(frozen=True)
class Load:
    """A file of records and a store to load it into."""

    directory: Path
    store_url: str

    def write(self, records: Sequence[Record], name: str = "records") -> Path:
        """Put records into a file, as Singer messages."""
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
        """Start target-line on a file."""
        config = file.with_suffix(".config.json")
        config.write_text(json.dumps({"store_url": self.store_url, "max_people_per_email": 20, **settings}))
        with file.with_suffix(".log").open("wb") as log:
            return programs.start(
                "target-line", "--config", config, "--input", file, stdout=subprocess.DEVNULL, stderr=log
            )

    def run(self, file: Path, **settings: Any) -> None:
        """Run target-line on a file to its end."""
        process = self.start(file, **settings)
        assert process.wait(timeout=600) == 0, file.with_suffix(".log").read_text()

    def run_killed(self, file: Path, kills: int, chance: random.Random, longest: float, **settings: Any) -> int:
        """Kill so many runs at random moments; how many were killed before their end."""
        killed = 0
        for _ in range(kills):
            process = self.start(file, **settings)
            time.sleep(chance.uniform(0.1, longest))
            killed += process.poll() is None
            process.kill()
            process.wait()
        return killed

    def identities(self) -> bytes:
        """What target-line-admin prints of the people."""
        done = programs.run(
            "target-line-admin", "--store-url", self.store_url, "identities", "--format", "jsonl", timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.encode()
