"""Meltano as a user runs it, against the sandbox and a real PostgreSQL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from examples.demo.servers import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, LiteralString


@dataclass(frozen=True)
class Meltano:
    """Meltano as a user runs it: this repository's meltano.yml, with the environment saying where the servers are."""

    root: Path
    environment: dict[str, str]
    warehouse: str

    def __call__(self, *arguments: str, expect: int = 0, **settings: str) -> str:
        """Run it; what it printed.

        Args:
            arguments: Of the `meltano` command.
            expect: The exit code that is right.
            settings: More environment variables.
        """
        done = subprocess.run(
            [PROGRAMS / "meltano", *arguments],
            cwd=self.root,
            env={**self.environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout

    def query(self, sql: LiteralString) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with psycopg.connect(self.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, sql: bytes | LiteralString) -> None:
        """Change the warehouse."""
        with psycopg.connect(self.warehouse) as connection:
            connection.execute(sql)
