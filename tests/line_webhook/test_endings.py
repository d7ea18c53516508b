"""Shutdown by signal, and kills under load: accepted events are never lost."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from examples.demo import servers
from tests.support.receiver_program import environment, process_ids, running_receiver
from tests.support.webhook_crashes import crash_repeatedly
from tests.support.webhook_events import event
from tests.support.webhook_load import Load, assert_accepted_events_stored_once


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_receiver_after_the_requests_in_flight_have_responses(
    tmp_path: Path, number: signal.Signals
) -> None:
    store_url = f"sqlite:///{tmp_path}/store.db"
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(running_receiver(tmp_path, store_url, is_installed=True))
        (process,) = process_ids(store_url)
        load = stack.enter_context(Load(lambda: receiver.url))
        load.wait_for_accepted(100)
        os.kill(process, number)
        wait_for_end(process)
    assert load.statuses() == {200, None}
    assert_accepted_events_stored_once(load, receiver.stored())
    assert not [line for line in receiver.log_lines() if line["level"] in ("warning", "error")]


def test_the_exit_code_after_sigterm_is_0(tmp_path: Path) -> None:
    command: list[str | Path] = [servers.PROGRAMS / "tap-line-webhook", "serve", "--port", "0"]
    with (
        (tmp_path / "log").open("wb") as log,
        servers.running(
            command,
            env=environment(store_url=f"sqlite:///{tmp_path}/store.db"),
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("tap-line-webhook ready at ")
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.sweep
@pytest.mark.timeout(0)
def test_accepted_events_survive_kills_on_sqlite(tmp_path: Path, kills: int) -> None:
    crash_repeatedly(tmp_path, f"sqlite:///{tmp_path}/store.db", crashes=kills)


@pytest.mark.sweep
@pytest.mark.timeout(0)
def test_accepted_events_survive_kills_on_postgres(tmp_path: Path, postgres_url: str, kills: int) -> None:
    crash_repeatedly(tmp_path, postgres_url, crashes=kills, workers=2)


def test_workers_stop_when_their_parent_process_is_killed(tmp_path: Path, postgres_url: str) -> None:
    with running_receiver(tmp_path, postgres_url, workers=2) as receiver:
        assert receiver.send(event(1)) == 200
        parent, *workers = process_ids(postgres_url)
        assert len(workers) >= 2
        os.kill(parent, signal.SIGKILL)
        for worker in workers:
            wait_for_end(worker)


def wait_for_end(process: int) -> None:
    deadline = time.monotonic() + 20
    with contextlib.suppress(OSError):
        while Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z":
            assert time.monotonic() < deadline
            time.sleep(0.02)
