"""Crashes and signals during sending: no message is lost or delivered twice."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from line_core.store.tables import ledger as tables

if TYPE_CHECKING:
    from line_core.store import Store
    from tests.support.target_program import TargetProgram

MESSAGES = 400
KILLS = 5


def count_accepted(store: Store) -> int:
    """Return the number of accepted messages in the ledger."""
    with store.read() as connection:
        accepted = select(func.count()).where(tables.messages.c.status == "accepted")
        return connection.execute(accepted).scalar_one()


def test_every_message_is_delivered_once_although_runs_are_killed(target: TargetProgram, store: Store) -> None:
    seeded = random.Random(7)
    line_ids = target.line_ids(MESSAGES)
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": f"hello {number}"})
        for number, line_id in enumerate(line_ids)
    ]
    target.add_fault("drop_after_accept", probability=0.1, seed=3)
    target.add_fault("slow", seconds=0.3, probability=0.5, seed=4)
    killed_while_sending = 0
    for _ in range(KILLS):
        run = target.start(*records, max_requests_per_second=100)
        before = count_accepted(store)
        while run.poll() is None and count_accepted(store) == before:
            time.sleep(0.02)
        time.sleep(seeded.uniform(0, 0.5))
        killed_while_sending += run.poll() is None
        run.kill()
        run.communicate()
    assert killed_while_sending, "no run was killed while it was sending"
    target.clear_faults()
    target.run(*records)
    assert Counter(delivery["line_id"] for delivery in target.deliveries()) == Counter(line_ids)
    assert {row["status"] for row in target.ledger().values()} == {"accepted"}


def test_after_a_signal_nothing_leaves_although_hundreds_of_requests_wait(sqlite_target: TargetProgram) -> None:
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": f"hello {number}"})
        for number, line_id in enumerate(sqlite_target.line_ids(MESSAGES))
    ]
    run = sqlite_target.start(*records, max_requests_per_second=5)
    while not sqlite_target.deliveries():
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    time.sleep(0.3)
    sent = len(sqlite_target.deliveries())
    _, log = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "no further request is sent" in log
    assert len(sqlite_target.deliveries()) == sent
    counts = Counter(row["status"] for row in sqlite_target.ledger().values())
    assert counts == {"accepted": sent, "scheduled": MESSAGES - sent}


def test_a_second_signal_ends_a_run_that_awaits_responses(sqlite_target: TargetProgram) -> None:
    (line_id,) = sqlite_target.line_ids(1)
    sqlite_target.add_fault("timeout", seconds=60)
    run = sqlite_target.start(("messages", {"message_id": "m", "line_id": line_id, "text": "hello"}))
    while not sqlite_target.request_in_progress():
        time.sleep(0.02)
    started = time.monotonic()
    run.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    _, log = run.communicate(timeout=30)
    assert time.monotonic() - started < 20
    assert run.returncode == 1
    assert "1 requests that LINE has not answered are awaited" in log
    assert "ended at once by a second signal" in log
    assert sqlite_target.ledger()["m"]["status"] == "claimed"


def test_sigterm_ends_a_run_cleanly_and_the_next_run_sends_the_rest(target: TargetProgram, store: Store) -> None:
    line_ids = target.line_ids(MESSAGES)
    records = [
        ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": f"hello {number}"})
        for number, line_id in enumerate(line_ids)
    ]
    run = target.start(*records, max_requests_per_second=50)
    while not count_accepted(store):
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    _, log = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "stopped by SIGTERM" in log
    assert "Traceback" not in log
    delivered = Counter(delivery["line_id"] for delivery in target.deliveries())
    statuses = Counter(row["status"] for row in target.ledger().values())
    assert statuses == {"accepted": delivered.total(), "scheduled": MESSAGES - delivered.total()}
    assert 0 < delivered.total() < MESSAGES
    target.run()
    assert Counter(delivery["line_id"] for delivery in target.deliveries()) == Counter(line_ids)
