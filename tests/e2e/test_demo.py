"""`make demo`, as a stranger runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e


def start_demo(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "examples.demo.run"],
        env={**os.environ, "LINE_DEMO_DIRECTORY": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run_demo(directory: Path) -> str:
    demo = start_demo(directory)
    printed, _ = demo.communicate(timeout=170)
    assert demo.returncode == 0, printed
    return printed


def processes_that_know(directory: Path) -> list[str]:
    """Command lines of living processes that were started with the directory in their arguments or environment."""
    known = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            started_with = command + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in started_with and process.name != str(os.getpid()):
            known.append(command.replace(b"\0", b" ").decode())
    return known


def figure(printed: str, name: str) -> int:
    (line,) = [line for line in printed.splitlines() if line.strip().startswith(name)]
    return int(line.split()[-1].replace(",", ""))


def test_it_moves_everything_once_and_a_second_run_sends_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    first = run_demo(directory)
    assert figure(first, "line.followers") == figure(first, "line.profiles") == 1000
    assert figure(first, "line.events") == 500
    assert figure(first, "merged: anonymous_identified") == 400
    assert figure(first, "messages accepted") == figure(first, "delivered by LINE in this run") > 400
    second = run_demo(directory)
    assert figure(second, "delivered by LINE in this run") == 0
    assert "LINE got none of them again" in second
    assert figure(second, "line.events") == 500
    assert processes_that_know(directory) == []


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    demo = start_demo(directory)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "meltano run" in line:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "all servers of the demo have ended" in rest
    assert "Traceback" not in rest
    assert processes_that_know(directory) == []
