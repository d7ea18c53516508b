"""Run Meltano with the sandbox and a real PostgreSQL."""

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
    """A Meltano project with this repository's meltano.yml; the environment has the addresses of the servers."""

    root: Path
    environment: dict[str, str]
    warehouse: str

    def __call__(self, *arguments: str, expect: int = 0, **settings: str) -> str:
        """Run a command and return its output.

        Args:
            arguments: Arguments of `meltano`.
            expect: The expected exit code.
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
        with psycopg.connect(self.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, sql: bytes | LiteralString) -> None:
        with psycopg.connect(self.warehouse) as connection:
            connection.execute(sql)
