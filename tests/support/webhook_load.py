"""Senders that keep a receiver busy, and remember what it promised."""

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
    """Events sent from several threads, each event once, until the block ends."""

    def __init__(self, url: Callable[[], str | None], *, first: int = 0, pause: float = 0.0) -> None:
        """Set up.

        Args:
            url: Where the receiver is at present; none while there is no use in sending.
            first: Number of the first event.
            pause: Seconds between two requests of a sender.
        """
        self._url = url
        self._pause = pause
        self._numbers = iter(range(first, 10**9))
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.answers: dict[int, int | None] = {}
        """The status for each event sent; none when the connection broke."""
        self.slowest = 0.0
        """The longest wait for an answer, in seconds."""

    @property
    def accepted(self) -> set[str]:
        """Ids of the events that were answered 200."""
        return {event(number)["webhookEventId"] for number, status in self.answers.items() if status == 200}

    @property
    def sent(self) -> set[str]:
        """Ids of all events."""
        return {event(number)["webhookEventId"] for number in self.answers}

    def statuses(self) -> set[int | None]:
        """All kinds of answers."""
        return set(self.answers.values())

    def __enter__(self) -> Self:
        """Begin to send."""
        self._pool = ThreadPoolExecutor(SENDERS)
        self._senders = [self._pool.submit(self._send) for _ in range(SENDERS)]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sending."""
        self._over.set()
        self._pool.shutdown()
        for sender in self._senders:
            sender.result()

    def until(self, accepted: int, seconds: float = 30) -> None:
        """Wait until this many more events were answered 200."""
        wanted = self._count(200) + accepted
        limit = time.monotonic() + seconds
        while self._count(200) < wanted:
            assert time.monotonic() < limit, self.statuses()
            time.sleep(0.01)

    def until_answered(self, status: int | None, seconds: float = 30) -> None:
        """Wait for another answer of a kind."""
        wanted = self._count(status) + 1
        limit = time.monotonic() + seconds
        while self._count(status) < wanted:
            assert time.monotonic() < limit, self.statuses()
            time.sleep(0.01)

    def _count(self, status: int | None) -> int:
        return sum(answer == status for answer in list(self.answers.values()))

    def _send(self) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                url = self._url()
                if url is None:
                    time.sleep(0.01)
                    continue
                with self._lock:
                    number = next(self._numbers)
                self.answers[number] = self._answer(session, url, body_of(event(number)))
                time.sleep(self._pause)

    def _answer(self, session: requests.Session, url: str, body: bytes) -> int | None:
        began = time.monotonic()
        try:
            headers = {"x-line-signature": signature(body)}
            status = session.post(f"{url}/webhook/main", data=body, headers=headers, timeout=10).status_code
        except requests.ConnectionError:
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        return status


def assert_kept(load: Load, stored: Iterable[InboxEvent]) -> None:
    """What was answered 200 is there, nothing is there twice, and nothing that was not sent."""
    ids = [one.webhook_event_id for one in stored]
    assert len(set(ids)) == len(ids)
    assert load.accepted <= set(ids) <= load.sent
