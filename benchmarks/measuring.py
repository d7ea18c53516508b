"""What the benchmarks share: running a command to its end with its cost, and empty stores."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from examples.demo import servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Cost:
    """The cost of one process."""

    seconds: float
    """Wall-clock time."""
    cpu_seconds: float
    peak_mb: float


def run(*command: str | Path, seconds_in_log: str | None = None) -> Cost:
    """Run a command to its end.

    Args:
        command: The program and its arguments.
        seconds_in_log: A pattern that finds the duration of the work in the log, without the start-up. The last match
            counts. Without a pattern the whole process is timed.

    Raises:
        SystemExit: The command failed, with its log.
    """
    with tempfile.TemporaryFile("w+") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        written = log.read()
    found = re.findall(seconds_in_log, written) if seconds_in_log else [seconds]
    if process.returncode or not found:
        raise SystemExit(written)
    return Cost(float(found[-1]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@dataclass(frozen=True)
class Stores:
    """Makes empty stores."""

    directory: Path
    postgres: servers.Postgres | None

    def new(self, kind: str, name: str) -> str:
        """Return the URL of an empty store on `sqlite` or `postgres`."""
        if kind == "sqlite":
            return f"sqlite:///{self.directory / name}.db"
        assert self.postgres is not None
        with psycopg.connect(self.postgres.url(driver="postgresql"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.postgres.url(name)


@contextlib.contextmanager
def stores(kinds: Sequence[str]) -> Iterator[Stores]:
    """Yield stores of these kinds in a temporary directory; PostgreSQL runs only if it is one of them."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        postgres = stack.enter_context(servers.postgres(directory / "postgres")) if "postgres" in kinds else None
        yield Stores(directory, postgres)


def sandbox(followers: int, latency_ms: float) -> contextlib.AbstractContextManager[str]:
    """Run a sandbox without an access log, and yield its URL."""
    options = ("--followers", str(followers), "--latency-ms", str(latency_ms), "--no-access-log")
    return servers.program("line-sandbox", "serve", "--port", "0", *options, log=Path(os.devnull))
