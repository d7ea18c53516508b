"""The sandbox sends webhooks like LINE. Batches, duplicates, order and redeliveries do not change the stored events."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.receiver_program import Receiver

GENERATED = {"count": 300, "seed": 7}


def send(sandbox_url: str, receiver: Receiver, **options: Any) -> dict[str, Any]:
    request = {"url": f"{receiver.url}/webhook/main", "secret": "the-channel-secret", "generate": GENERATED, **options}
    response = requests.post(f"{sandbox_url}/sandbox/webhooks", json=request, timeout=60)
    response.raise_for_status()
    result: dict[str, Any] = response.json()
    return result


def stored_events(receiver: Receiver) -> dict[str, tuple[Any, str | None]]:
    """Return contents and message state by event ID, without `deliveryContext`, which depends on the delivery."""
    stored = receiver.stored()
    by_id = {
        row.webhook_event_id: (json.loads(row.payload) | {"deliveryContext": None}, row.message_state) for row in stored
    }
    assert len(by_id) == len(stored)
    return by_id


def test_batch_size_duplicates_and_order_do_not_change_the_stored_events(
    tmp_path: Path, new_sqlite_store: Callable[[Path], str], sandbox_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    expected = start_receiver(new_sqlite_store(tmp_path / "expected.db"))
    shuffled = start_receiver(new_sqlite_store(tmp_path / "shuffled.db"))
    send(sandbox_url, expected)
    for batch_size in (1, 7):
        send(sandbox_url, shuffled, batch_size=batch_size, duplicate=0.5, shuffle=True)
    assert len(stored_events(expected)) == GENERATED["count"]
    assert "unsent" in {state for _, state in stored_events(expected).values()}
    assert stored_events(shuffled) == stored_events(expected)


def test_redeliveries_store_the_events_that_failed_before(
    tmp_path: Path, new_sqlite_store: Callable[[Path], str], sandbox_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    expected = start_receiver(new_sqlite_store(tmp_path / "expected.db"))
    interrupted = start_receiver(new_sqlite_store(tmp_path / "interrupted.db"), store_timeout_seconds=0.2)
    send(sandbox_url, expected)
    with closing(sqlite3.connect(tmp_path / "interrupted.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.5, other.execute, ["ROLLBACK"]).start()
        result = send(sandbox_url, interrupted, batch_size=10, redeliver_failures=True)
    assert result["answers"]["503"] > 0
    send(
        sandbox_url, interrupted, redeliver_failures=True
    )  # LINE stops redelivering after a while: send again, so that the time does not matter
    assert stored_events(interrupted) == stored_events(expected)
