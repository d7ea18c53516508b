"""`make demo`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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
    printed, _ = demo.communicate(timeout=800)
    assert demo.returncode == 0, printed
    return printed


def processes_started_in(directory: Path) -> list[str]:
    """Command lines of running processes that have the directory in their arguments or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            started_with = command + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in started_with and process.name != str(os.getpid()):
            found.append(command.replace(b"\0", b" ").decode())
    return found


def wait_until_all_have_ended(directory: Path) -> None:
    deadline = time.monotonic() + 120
    while found := processes_started_in(directory):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def figure(printed: str, name: str) -> int:
    (line,) = [line for line in printed.splitlines() if line.strip().startswith(name)]
    return int(line.split()[-1].replace(",", ""))


def test_the_first_run_moves_all_data_and_the_second_run_sends_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    first = run_demo(directory)
    assert figure(first, "line.followers") == figure(first, "line.profiles") == 1000
    assert figure(first, "line.events") == 500
    assert figure(first, "merged: anonymous_identified") == 400
    assert figure(first, "messages accepted") == figure(first, "delivered by LINE in this run") > 400
    second = run_demo(directory)
    assert figure(second, "delivered by LINE in this run") == 0
    assert "none was sent again" in second
    assert figure(second, "line.followers") == figure(second, "line.profiles") == 1000
    assert figure(second, "line.events") == 500
    wait_until_all_have_ended(directory)


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    demo = start_demo(directory)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "meltano run" in line:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=300)
    assert demo.returncode == 130
    assert "All servers of the demo have stopped" in rest
    assert "Traceback" not in rest
    wait_until_all_have_ended(directory)
