"""Send LINE's requests on to another bot, untouched and in order; LINE itself knows only one webhook URL a channel.

Each target has a queue in the store. One process at a time sends from it, one request at a time: a request is tried
until the target accepts it with any 2xx, or is given up and kept as a dead letter. After a crash, requests that had
arrived may arrive again, as LINE's own may.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import aiohttp

from line_core.errors import StoreError
from line_core.store.inbox import relay_queue
from line_core.store.leases import acquire_lease, release_lease
from line_webhook.metrics import RELAYED

if TYPE_CHECKING:
    from line_core.store import Store
    from line_core.store.inbox.relay_queue import RelayRequest
    from line_webhook.metrics import Metrics
    from line_webhook.store_thread import Caller

_log = logging.getLogger(__name__)

_ROUND_SECONDS: Final = 5.0
_LEASE_MARGIN_SECONDS: Final = 10.0
_ROUND_REQUESTS: Final = 50
_LOOK_AGAIN_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 60.0
_TRIES_WHEN_REFUSED: Final = 5
# A client error that the same request can outlive.
_PASSING_CLIENT_ERRORS: Final = frozenset({408, 425, 429})
_USER_AGENT: Final = "tap-line-webhook (relay)"


class _FailedError(Exception):
    """A target did not accept a request."""

    def __init__(self, request: RelayRequest, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.request = request
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Manners:
    """What all relays of a process have in common.

    Attributes:
        owner: Name of the process, unlike any other's.
        timeout_seconds: How long a target may take to answer.
        give_up_after: Age at which a request that fails becomes a dead letter.
        metrics: Counts outcomes.
    """

    owner: str
    timeout_seconds: float
    give_up_after: timedelta
    metrics: Metrics


class Relay:
    """Sends one channel's requests to one URL."""

    def __init__(
        self,
        store: Store,
        call: Caller,
        channel: str,
        url: str,
        manners: Manners,
    ) -> None:
        """Set up; `run` sends.

        Args:
            store: Where the queue is.
            call: Calls a function where the store may be used.
            channel: Whose requests.
            url: Where to.
            manners: How.
        """
        self._store = store
        self._call = call
        self._channel = channel
        self._url = url
        self._target = relay_queue.target_id(url)
        self._work = f"relay {channel} {self._target}"
        self._manners = manners
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        self._failures = 0

    def wake(self) -> None:
        """Say that a request was queued."""
        self._news.set()

    def close(self) -> None:
        """Let `run` end after the request that is being sent."""
        self._closed.set()
        self._news.set()

    async def run(self) -> None:
        """Send until `close`."""
        timeout = aiohttp.ClientTimeout(total=self._manners.timeout_seconds)
        async with aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": _USER_AGENT}) as session:
            while not self._closed.is_set():
                self._news.clear()
                try:
                    sent = await self._round(session)
                except _FailedError as error:
                    await _wait(self._closed, await self._pause_after(error))
                except StoreError as error:
                    _log.warning("relay of channel %s waits for the store: %s", self._channel, error)
                    await _wait(self._closed, _LOOK_AGAIN_SECONDS)
                else:
                    if not sent:
                        await _wait(self._news, _LOOK_AGAIN_SECONDS)
        with suppress(StoreError):
            await self._call(self._release)

    async def _round(self, session: aiohttp.ClientSession) -> int:
        """Send some requests, and returns how many; the first that fails ends the round."""
        until = time.monotonic() + _ROUND_SECONDS
        delivered: list[int] = []
        try:
            for request in await self._call(self._next_requests):
                await self._send(session, request)
                delivered.append(request.relay_id)
                if self._closed.is_set() or time.monotonic() > until:
                    break
        finally:
            if delivered:
                self._failures = 0
                self._manners.metrics.add(RELAYED, self._channel, "delivered", amount=len(delivered))
                await self._call(partial(self._remove, delivered))
        return len(delivered)

    async def _pause_after(self, failed: _FailedError) -> float:
        """Decide what becomes of a request that failed; returns the seconds until the next try."""
        request = failed.request
        self._manners.metrics.add(RELAYED, self._channel, "failed")
        self._failures += 1
        too_old = datetime.now(UTC) - request.received_at >= self._manners.give_up_after
        if too_old or (failed.refused and self._failures >= _TRIES_WHEN_REFUSED):
            _log.error("relay of channel %s gives a request up: %s", self._channel, failed)
            await self._call(partial(self._give_up, request.relay_id, str(failed)))
            self._manners.metrics.add(RELAYED, self._channel, "dead")
            self._failures = 0
            return 0
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (self._failures - 1))
        _log.warning("relay of channel %s: %s; next try in %g s", self._channel, failed, pause)
        return pause

    async def _send(self, session: aiohttp.ClientSession, request: RelayRequest) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Line-Signature": request.signature}
        try:
            async with session.post(
                self._url, data=request.body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Not the error's own text: it may repeat the URL, which may hold a secret.
            raise _FailedError(request, f"the bot cannot be reached ({type(error).__name__})", refused=False) from None
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own ranges
            refused = 400 <= status < 500 and status not in _PASSING_CLIENT_ERRORS  # noqa: PLR2004 - as above
            raise _FailedError(request, f"the bot answered {status}", refused=refused)

    def _next_requests(self) -> list[RelayRequest]:
        with self._store.read() as connection:
            if not relay_queue.next_requests(connection, self._channel, self._target, limit=1):
                return []
        lease_seconds = _ROUND_SECONDS + self._manners.timeout_seconds + _LEASE_MARGIN_SECONDS
        with self._store.write() as connection:
            if not acquire_lease(connection, self._work, self._manners.owner, lease_seconds):
                return []
            return relay_queue.next_requests(connection, self._channel, self._target, _ROUND_REQUESTS)

    def _release(self) -> None:
        with self._store.write() as connection:
            release_lease(connection, self._work, self._manners.owner)

    def _remove(self, relay_ids: list[int]) -> None:
        with self._store.write() as connection:
            relay_queue.remove_delivered(connection, relay_ids)

    def _give_up(self, relay_id: int, error: str) -> None:
        with self._store.write() as connection:
            relay_queue.mark_dead(connection, relay_id, error)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
