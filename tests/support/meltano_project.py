"""Run Meltano in this repository's project."""

from __future__ import annotations

import subprocess
from pathlib import Path

from examples.demo.servers import PROGRAMS

PROJECT = Path(__file__).parents[2]


def meltano(*arguments: str, environment: dict[str, str], expect: int = 0) -> str:
    """Run a command of Meltano and return its output.

    Args:
        arguments: Arguments of `meltano`.
        environment: The whole environment.
        expect: The expected exit code.
    """
    done = subprocess.run(
        [PROGRAMS / "meltano", *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout
    return done.stdout
