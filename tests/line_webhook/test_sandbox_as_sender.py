"""The sandbox sends as LINE does; what reaches the store does not depend on how it was sent."""

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

HISTORY = {"count": 300, "seed": 7}


def send(sandbox_url: str, receiver: Receiver, **how: Any) -> dict[str, Any]:
    order = {"url": f"{receiver.url}/webhook/main", "secret": "the-channel-secret", "generate": HISTORY, **how}
    answer = requests.post(f"{sandbox_url}/sandbox/webhooks", json=order, timeout=60)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def known(receiver: Receiver) -> dict[str, tuple[Any, str | None]]:
    """Each event's contents and message state by its id; but for `deliveryContext`, which tells how it was sent."""
    stored = receiver.stored()
    by_id = {
        one.webhook_event_id: (json.loads(one.payload) | {"deliveryContext": None}, one.message_state) for one in stored
    }
    assert len(by_id) == len(stored)
    return by_id


def test_duplicates_and_shuffles_change_nothing(
    tmp_path: Path, sandbox_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    plain = start_receiver(f"sqlite:///{tmp_path}/plain.db")
    rough = start_receiver(f"sqlite:///{tmp_path}/rough.db")
    send(sandbox_url, plain)
    for batch_size in (1, 7):
        send(sandbox_url, rough, batch_size=batch_size, duplicate=0.5, shuffle=True)
    assert len(known(plain)) == HISTORY["count"]
    assert "unsent" in {state for _, state in known(plain).values()}
    assert known(rough) == known(plain)


def test_redeliveries_bring_what_was_refused_and_change_nothing_else(
    tmp_path: Path, sandbox_url: str, start_receiver: Callable[..., Receiver]
) -> None:
    plain = start_receiver(f"sqlite:///{tmp_path}/plain.db")
    refusing = start_receiver(f"sqlite:///{tmp_path}/refusing.db", store_timeout_seconds=0.2)
    send(sandbox_url, plain)
    with closing(sqlite3.connect(tmp_path / "refusing.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.5, other.execute, ["ROLLBACK"]).start()
        told = send(sandbox_url, refusing, batch_size=10, redeliver_failures=True)
    assert told["answers"]["503"] > 0
    send(sandbox_url, refusing, redeliver_failures=True)  # LINE gives up at some time: so that nothing depends on when
    assert known(refusing) == known(plain)
