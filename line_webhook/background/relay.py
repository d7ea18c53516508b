"""Relay LINE's webhook requests to another bot, unchanged and in order. LINE itself allows one webhook URL per channel.

Each target URL has a queue in the store. One process at a time holds the queue's lease and sends one request at a time.
A request is retried until the target responds 2xx. It becomes a dead letter when it is too old, or when the target has
rejected it several times. After a crash, the target may get some requests again, as it may from LINE.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import aiohttp

from line_core.errors import StoreError
from line_core.store.inbox import relay_queue
from line_core.store.leases import acquire_lease, release_lease

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from line_core.store.inbox.relay_queue import RelayRequest
    from line_webhook.metrics.counters import ReceiverMetrics
    from line_webhook.storage.async_store import AsyncStore

_log = logging.getLogger(__name__)

_ROUND_SECONDS: Final = 5.0
_ROUND_REQUESTS: Final = 50
_LEASE_MARGIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 1.0
_FIRST_RETRY_SECONDS: Final = 0.5
_MAX_RETRY_SECONDS: Final = 60.0
_MAX_REJECTED_ATTEMPTS: Final = 5
_RETRYABLE_CLIENT_ERRORS: Final = frozenset({408, 425, 429})
_USER_AGENT: Final = "tap-line-webhook (relay)"


class _RelayFailedError(Exception):
    """The target did not accept a request; `is_rejected` if retries are unlikely to help."""

    def __init__(self, request: RelayRequest, reason: str, *, is_rejected: bool) -> None:
        super().__init__(reason)
        self.request = request
        self.is_rejected = is_rejected


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """Options that all relays of a process share.

    Attributes:
        owner: Unique name of the process, for leases.
        timeout_seconds: Timeout of one attempt.
        max_age: Age at which a failing request becomes a dead letter.
    """

    owner: str
    timeout_seconds: float
    max_age: timedelta


class Relay:
    """Sends the queued requests of one channel to one URL."""

    def __init__(
        self, store: AsyncStore, channel: str, url: str, options: RelayOptions, metrics: ReceiverMetrics
    ) -> None:
        """Store the dependencies; call `run` to start sending."""
        self._store = store
        self._channel = channel
        self._url = url
        self._target = relay_queue.target_id(url)
        self._lease = f"relay {channel} {self._target}"
        self._options = options
        self._metrics = metrics
        self._wake_up = asyncio.Event()
        self._is_closed = asyncio.Event()
        self._consecutive_failures = 0

    def wake(self) -> None:
        """Start the next round now, because a request was queued."""
        self._wake_up.set()

    def close(self) -> None:
        """Make `run` return after the request in flight."""
        self._is_closed.set()
        self._wake_up.set()

    async def run(self) -> None:
        """Send requests until `close`."""
        timeout = aiohttp.ClientTimeout(total=self._options.timeout_seconds)
        async with aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": _USER_AGENT}) as session:
            while not self._is_closed.is_set():
                self._wake_up.clear()
                try:
                    sent = await self._run_round(session)
                except _RelayFailedError as error:
                    await _wait(self._is_closed, await self._record_failure(error))
                except StoreError as error:
                    _log.warning("relay of channel %s waits for the store: %s", self._channel, error)
                    await _wait(self._is_closed, _POLL_SECONDS)
                else:
                    if not sent:
                        await _wait(self._wake_up, _POLL_SECONDS)
        with suppress(StoreError):
            await self._store.write(lambda connection: release_lease(connection, self._lease, self._options.owner))

    async def _run_round(self, session: aiohttp.ClientSession) -> int:
        """Send the next requests, for at most `_ROUND_SECONDS`; return their number. A failure ends the round."""
        until = time.monotonic() + _ROUND_SECONDS
        delivered: list[int] = []
        try:
            for request in await self._next_requests():
                await self._send(session, request)
                delivered.append(request.relay_id)
                if self._is_closed.is_set() or time.monotonic() > until:
                    break
        finally:
            if delivered:
                self._consecutive_failures = 0
                self._metrics.count_relayed(self._channel, "delivered", len(delivered))
                await self._store.write(lambda connection: relay_queue.remove_delivered(connection, delivered))
        return len(delivered)

    async def _record_failure(self, failed: _RelayFailedError) -> float:
        """Keep the request for a retry, or as a dead letter. Return the seconds until the next attempt."""
        request = failed.request
        self._metrics.count_relayed(self._channel, "failed")
        self._consecutive_failures += 1
        is_too_old = datetime.now(UTC) - request.received_at >= self._options.max_age
        if is_too_old or (failed.is_rejected and self._consecutive_failures >= _MAX_REJECTED_ATTEMPTS):
            _log.error("relay of channel %s: a request becomes a dead letter: %s", self._channel, failed)
            await self._store.write(lambda connection: relay_queue.mark_dead(connection, request.relay_id, str(failed)))
            self._metrics.count_relayed(self._channel, "dead")
            self._consecutive_failures = 0
            return 0
        pause = min(_MAX_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** (self._consecutive_failures - 1))
        _log.warning("relay of channel %s: %s; retry in %g s", self._channel, failed, pause)
        return pause

    async def _send(self, session: aiohttp.ClientSession, request: RelayRequest) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Line-Signature": request.signature}
        try:
            async with session.post(
                self._url, data=request.body.encode(), headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The error's own text may repeat the URL, which may hold a secret.
            reason = f"the bot cannot be reached ({type(error).__name__})"
            raise _RelayFailedError(request, reason, is_rejected=False) from None
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own ranges
            is_rejected = 400 <= status < 500 and status not in _RETRYABLE_CLIENT_ERRORS  # noqa: PLR2004 - as above
            raise _RelayFailedError(request, f"the bot responded {status}", is_rejected=is_rejected)

    async def _next_requests(self) -> list[RelayRequest]:
        """Return the next requests; none if the queue is empty or another process holds the lease."""
        # First a read, because an empty queue must not cost a write transaction per poll.
        if not await self._store.read(lambda connection: self._next(connection, 1)):
            return []
        return await self._store.write(self._next_with_lease)

    def _next_with_lease(self, connection: Connection) -> list[RelayRequest]:
        lease_seconds = _ROUND_SECONDS + self._options.timeout_seconds + _LEASE_MARGIN_SECONDS
        if not acquire_lease(connection, self._lease, self._options.owner, lease_seconds):
            return []
        return self._next(connection, _ROUND_REQUESTS)

    def _next(self, connection: Connection, limit: int) -> list[RelayRequest]:
        return relay_queue.next_requests(connection, self._channel, self._target, limit)


async def _wait(event: asyncio.Event, timeout_seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await event.wait()
