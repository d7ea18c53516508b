"""Run the project's programs as separate processes that are forked from a server with all imports done.

Starting `tap-line` or `target-line` costs about 2 CPU seconds of imports, and the suite starts them some hundred times.
A forked program is a separate process with its own arguments, environment, working directory and standard streams;
it can be killed and signalled. Only the interpreter's start-up is shared. The end-to-end tests start the installed
programs instead.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import reduction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import ForkServerProcess

ENTRY_POINTS = {
    "line-sandbox": "line_sandbox.cli:main",
    "tap-line": "tap_line.tap:TapLine.cli",
    "tap-line-webhook": "line_webhook.cli:main",
    "target-line": "target_line.target:TargetLine.cli",
    "target-line-admin": "target_line.admin.cli:main",
}
"""As `project.scripts` in pyproject.toml; a test compares them."""

_PRELOADED = [
    *("tap_line.tap", "target_line.target", "target_line.admin.cli", "line_sandbox.cli", "line_webhook.cli"),
    *("line_sandbox.server.serving", "line_webhook.server", "starlette.applications", "uvicorn.loops.uvloop"),
    "target_line.sending.run_modes",
    # line_webhook imports prometheus-client after it has set the directory of the counters: it must not be here.
    *("alembic.command", "alembic.autogenerate", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"),
    *("sqlalchemy.dialects.sqlite.pysqlite", "tests.support.programs"),
]
_STOP_SECONDS = 10


@dataclass(frozen=True)
class _Standard:
    """File descriptors of a program's standard streams; they are duplicated into the new process."""

    stdin: int
    stdout: int
    stderr: int

    def __reduce__(self) -> tuple[Callable[..., _Standard], tuple[Any, ...]]:
        return _received, tuple(reduction.DupFd(number) for number in (self.stdin, self.stdout, self.stderr))


def _received(*duplicates: Any) -> _Standard:
    return _Standard(*(duplicate.detach() for duplicate in duplicates))


@dataclass(frozen=True)
class _Start:
    """What the new process gets from this one."""

    program: str
    arguments: list[str]
    environment: dict[str, str]
    directory: str
    own_group: bool
    patches: Mapping[str, object] = field(default_factory=dict)


class Program:
    """A running program, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, process: ForkServerProcess, stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    @property
    def pid(self) -> int:
        number = self._process.pid
        assert number is not None
        return number

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the program runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: The program still runs after `timeout` seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both streams to their ends and wait for the program's end."""
        texts: dict[str, str] = {}

        def read(name: str, stream: IO[str]) -> None:
            texts[name] = stream.read()

        streams = {"stdout": self.stdout, "stderr": self.stderr}
        readers = [
            threading.Thread(target=read, args=(name, stream), daemon=True)
            for name, stream in streams.items()
            if stream
        ]
        for reader in readers:
            reader.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            self.wait(timeout)
            for reader in readers:
                reader.join(None if deadline is None else max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.close()
        return texts.get("stdout", ""), texts.get("stderr", "")

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Close this end of the pipes."""
        for stream in (self.stdout, self.stderr):
            if stream:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()
        self.close()


def start(
    program: str,
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    stdout: IO[Any] | int | None = subprocess.PIPE,
    stderr: IO[Any] | int | None = subprocess.PIPE,
    own_group: bool = False,
    patches: Mapping[str, object] | None = None,
) -> Program:
    """Start one of the project's programs.

    Args:
        program: A name in `ENTRY_POINTS`.
        arguments: Command-line arguments.
        environment: The whole environment; default this process's.
        directory: Working directory; default this process's.
        stdout: A file, or `subprocess.PIPE` or `DEVNULL`.
        stderr: As `stdout`.
        own_group: Whether the program leads its own process group.
        patches: Attributes of modules or classes to replace in the new process before the program starts. The values
            are pickled.
    """
    with contextlib.ExitStack() as to_close:
        null = to_close.enter_context(Path(os.devnull).open("r+b")).fileno()
        read: list[IO[str] | None] = []
        written = []
        for target in (stdout, stderr):
            if target == subprocess.PIPE:
                reader, writer = os.pipe()
                to_close.callback(os.close, writer)
                read.append(os.fdopen(reader, encoding="utf-8"))
                written.append(writer)
            else:
                read.append(None)
                written.append(null if target in (None, subprocess.DEVNULL) else target.fileno())  # type: ignore[union-attr] # a file
        told = _Start(
            program,
            [str(argument) for argument in arguments],
            dict(os.environ if environment is None else environment),
            str(directory or Path.cwd()),
            own_group,
            patches or {},
        )
        process = fork_server().Process(target=_run, args=(told, _Standard(null, *written)), name=program)
        process.start()
    return Program(process, *read)


def run(program: str, *arguments: str | Path, timeout: float = 120, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; `how` is passed to `start`."""
    started = start(program, *arguments, **how)
    printed, log = started.communicate(timeout)
    return subprocess.CompletedProcess([program, *map(str, arguments)], started.wait(), printed, log)


@contextlib.contextmanager
def serve(
    program: str, *arguments: str | Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server until the block ends, and yield the URL that it prints when it is ready.

    Raises:
        RuntimeError: The program ended before it was ready.
    """
    with (
        log.open("ab") as stderr,
        start(program, *arguments, environment=environment, stderr=stderr) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            name, ready, url = line.partition(" ready at ")
            if ready and name == program:
                try:
                    yield url.strip()
                finally:
                    process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_STOP_SECONDS)
                return
        raise RuntimeError(f"{program} ended before it was ready, exit code {process.wait()}; its log: {log}")


def fork_server() -> multiprocessing.context.ForkServerContext:
    """Return the context of `multiprocessing` whose processes are forked with all imports done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _run(told: _Start, standard: _Standard) -> None:
    """Run the program. Called in the new process."""
    for number, descriptor in enumerate((standard.stdin, standard.stdout, standard.stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    if told.own_group:
        os.setsid()
    os.chdir(told.directory)
    os.environ.clear()
    os.environ.update(told.environment)
    sys.argv = [told.program, *told.arguments]
    for path, value in told.patches.items():
        parent, _, name = path.rpartition(".")
        patched = pkgutil.resolve_name(parent)
        assert hasattr(patched, name), path
        setattr(patched, name, value)
    sys.exit(pkgutil.resolve_name(ENTRY_POINTS[told.program])())
