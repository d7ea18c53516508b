"""A store that is down, slow or full: the receiver responds 503 quickly, is not ready, and recovers automatically."""

from __future__ import annotations

import contextlib
import resource
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from examples.demo import servers
from line_core.store import open_store
from tests.support.receiver_program import Receiver, environment
from tests.support.webhook_events import event, text
from tests.support.webhook_load import Load, assert_accepted_events_stored_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORE_TIMEOUT_SECONDS = 1.5


def test_a_postgres_restart_loses_no_accepted_event(tmp_path: Path, start_receiver: Callable[..., Receiver]) -> None:
    data = tmp_path / "postgres"
    with contextlib.ExitStack() as database:
        receiver = start_receiver(database.enter_context(servers.postgres(data)).url())
        with Load(lambda: receiver.url, pause=0.01) as load:
            load.wait_for_accepted(50)
            database.close()
            load.wait_for_status(503)
            receiver.wait_until_ready(is_ready=False)
            assert receiver.get("/health").status_code == 200
            started = time.monotonic()
            assert receiver.send(event(10**8)) == 503
            assert time.monotonic() - started < 1
            database.enter_context(servers.postgres(data))
            receiver.wait_until_ready()
            load.wait_for_accepted(50)
        assert load.statuses() == {200, 503}
        assert load.slowest_seconds < 2 * STORE_TIMEOUT_SECONDS
        rejected = event(10**8)["webhookEventId"]
        assert_accepted_events_stored_once(load, [row for row in receiver.stored() if row.webhook_event_id != rejected])


def test_a_postgres_that_hangs_gets_503_after_the_timeout(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url, store_timeout_seconds=0.5)
    assert receiver.send(event(1)) == 200
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("LOCK TABLE line_store.events IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert receiver.send(event(2)) == 503
        assert time.monotonic() - started < STORE_TIMEOUT_SECONDS
        assert receiver.get("/ready").status_code == 503
        started = time.monotonic()
        assert receiver.send(event(3)) == 503
        assert time.monotonic() - started < 0.3
        connection.rollback()
    receiver.wait_until_ready()
    assert receiver.send(event(2)) == 200
    assert [(row.webhook_event_id[-1], row.deliveries) for row in receiver.stored()] == [("1", 1), ("2", 2)]


def test_connections_closed_by_postgres_fail_no_request(
    postgres_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(postgres_url)
    assert receiver.send(event(1)) == 200
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    assert receiver.send(event(2)) == 200


def test_an_sqlite_file_locked_by_another_program_gets_503_until_it_is_unlocked(
    tmp_path: Path, start_receiver: Callable[..., Receiver]
) -> None:
    receiver = start_receiver(store_timeout_seconds=0.5)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert receiver.send(event(1)) == 503
        assert receiver.get("/ready").status_code == 503
        assert receiver.metric("tap_line_webhook_ready") == 0
        other.execute("ROLLBACK")
    finally:
        other.close()
    receiver.wait_until_ready()
    assert receiver.send(event(1)) == 200
    assert len(receiver.stored()) == 1


@contextlib.contextmanager
def running_command(command: list[str | Path], directory: Path, store_url: str) -> Iterator[tuple[Receiver, int]]:
    """Run a receiver with this command line. Yield it and its process ID."""
    log = directory / "receiver.log"
    options = {"env": environment(store_url=store_url), "stdout": subprocess.PIPE}
    with log.open("wb") as stderr, servers.running(command, stderr=stderr, **options) as process:
        assert process.stdout is not None
        yield Receiver(process.stdout.readline().split()[-1], store_url, log), process.pid


SERVE: list[str | Path] = [servers.PROGRAMS / "tap-line-webhook", "serve", "--port", "0"]
FULL_DISK = "mount -t tmpfs -o size=3m tmpfs"


def test_the_receiver_recovers_from_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    in_namespace: list[str | Path] = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*in_namespace, f'{FULL_DISK} "$0"', disk], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow mounts in a namespace; the test with a file size limit still runs")
    script = f'{FULL_DISK} "$0" && head -c 1500000 /dev/zero > "$0/filler" && exec "$@"'
    with running_command([*in_namespace, script, disk, *SERVE], tmp_path, f"sqlite:///{disk}/store.db") as (
        receiver,
        process,
    ):
        disk_in_namespace = Path(f"/proc/{process}/root{disk}")
        accepted = fill_disk(receiver)
        (disk_in_namespace / "filler").unlink()
        assert_recovered(receiver, accepted, disk_in_namespace, tmp_path / "copy")


def test_the_receiver_recovers_from_a_file_size_limit(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with running_command(SERVE, tmp_path, f"sqlite:///{disk}/store.db") as (receiver, process):
        unlimited = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (600_000, unlimited[1]))
        accepted = fill_disk(receiver)
        resource.prlimit(process, resource.RLIMIT_FSIZE, unlimited)
        assert_recovered(receiver, accepted, disk, tmp_path / "copy")


def fill_disk(receiver: Receiver) -> set[str]:
    """Send events until the disk is full; return the IDs of the accepted events."""
    accepted = set()
    for number in range(100):
        events = [text(10 * number + index, str(10 * number + index), "x" * 4000) for index in range(10)]
        status = receiver.send(*events)
        if status != 200:
            break
        accepted |= {sent["webhookEventId"] for sent in events}
    assert status == 503
    assert accepted
    receiver.wait_until_ready(is_ready=False)
    assert receiver.send(event(10**6)) == 503
    return accepted


def assert_recovered(receiver: Receiver, accepted: set[str], disk: Path, copy: Path) -> None:
    """Assert that the receiver is ready again, the database is intact, and each accepted event is stored once."""
    receiver.wait_until_ready()
    last = event(10**7)
    assert receiver.send(last) == 200
    shutil.copytree(disk, copy)
    with contextlib.closing(sqlite3.connect(copy / "store.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with open_store(f"sqlite:///{copy}/store.db") as store, store.read() as connection:
        ids = connection.exec_driver_sql("SELECT webhook_event_id FROM events").scalars().all()
    assert accepted | {last["webhookEventId"]} <= set(ids)
    assert len(set(ids)) == len(ids)
    assert "Traceback" not in receiver.log.read_text()
