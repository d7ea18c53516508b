"""Kill a receiver repeatedly under load."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from examples.demo import servers
from tests.support.receiver_program import Receiver, environment
from tests.support.webhook_load import Load, assert_accepted_events_stored_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def crash_repeatedly(directory: Path, store_url: str, *, crashes: int, workers: int = 1) -> None:
    """Kill all processes of the receiver at random times; assert that each accepted event is stored once."""
    seeded_random = random.Random(crashes)
    url: str | None = None
    with Load(lambda: url) as load:
        for _ in range(crashes):
            with _running_receiver(directory, store_url, workers) as (process, url):
                load.wait_for_accepted(20)
                time.sleep(seeded_random.uniform(0, 0.3))
                os.killpg(process.pid, signal.SIGKILL)
            url = None
    assert None in load.statuses()
    assert_accepted_events_stored_once(load, Receiver("", store_url, directory).stored())


@contextlib.contextmanager
def _running_receiver(directory: Path, store_url: str, workers: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [str(servers.PROGRAMS / "tap-line-webhook"), "serve", "--port", "0"]
    with (
        (directory / "receiver.log").open("ab") as log,
        servers.running(
            command, env=environment(store_url=store_url, workers=workers), stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
