"""Send events from several threads and record the responses."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import requests

from tests.support.webhook_events import body_of, event, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from line_core.store.inbox import InboxEvent

SENDERS = 8


class Load:
    """Sends events from several threads, each event once, until the block ends."""

    def __init__(self, url: Callable[[], str | None], *, first: int = 0, pause: float = 0.0) -> None:
        """Prepare to send.

        Args:
            url: Returns the receiver's URL; None to pause sending.
            first: Number of the first event.
            pause: Seconds between two requests of a thread.
        """
        self._url = url
        self._pause = pause
        self._numbers = iter(range(first, 10**9))
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()
        self.responses: dict[int, int | None] = {}
        """Response status by event number; None if the connection broke."""
        self.slowest_seconds = 0.0
        """Longest time from a request to its response."""

    @property
    def accepted(self) -> set[str]:
        """IDs of the events with response 200."""
        return {event(number)["webhookEventId"] for number, status in self.responses.items() if status == 200}

    @property
    def sent(self) -> set[str]:
        """IDs of all sent events."""
        return {event(number)["webhookEventId"] for number in self.responses}

    def statuses(self) -> set[int | None]:
        return set(self.responses.values())

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(SENDERS)
        self._senders = [self._pool.submit(self._send) for _ in range(SENDERS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopped.set()
        self._pool.shutdown()
        for sender in self._senders:
            sender.result()

    def wait_for_accepted(self, events: int, seconds: float = 30) -> None:
        """Wait for this many more responses with status 200."""
        wanted = self._count(200) + events
        deadline = time.monotonic() + seconds
        while self._count(200) < wanted:
            assert time.monotonic() < deadline, self.statuses()
            time.sleep(0.01)

    def wait_for_status(self, status: int | None, seconds: float = 30) -> None:
        """Wait for one more response with this status."""
        wanted = self._count(status) + 1
        deadline = time.monotonic() + seconds
        while self._count(status) < wanted:
            assert time.monotonic() < deadline, self.statuses()
            time.sleep(0.01)

    def _count(self, status: int | None) -> int:
        return sum(response == status for response in list(self.responses.values()))

    def _send(self) -> None:
        with requests.Session() as session:
            while not self._is_stopped.is_set():
                url = self._url()
                if url is None:
                    time.sleep(0.01)
                    continue
                with self._lock:
                    number = next(self._numbers)
                self.responses[number] = self._post(session, url, body_of(event(number)))
                time.sleep(self._pause)

    def _post(self, session: requests.Session, url: str, body: bytes) -> int | None:
        started = time.monotonic()
        try:
            headers = {"x-line-signature": signature(body)}
            status = session.post(f"{url}/webhook/main", data=body, headers=headers, timeout=10).status_code
        except requests.ConnectionError:
            return None
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
        return status


def assert_accepted_events_stored_once(load: Load, stored: Iterable[InboxEvent]) -> None:
    """Assert that events with response 200 are stored, no event is stored twice, and only sent events are stored."""
    ids = [row.webhook_event_id for row in stored]
    assert len(set(ids)) == len(ids)
    assert load.accepted <= set(ids) <= load.sent
