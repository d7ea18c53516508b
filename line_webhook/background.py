"""What the receiver does besides answering: relays and retention."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from line_core.errors import StoreError
from line_core.store.leases import acquire_lease
from line_webhook.metrics import PURGED
from line_webhook.relay import Manners, Relay
from line_webhook.retention import STEP_PAUSE_SECONDS, Purge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from multiprocessing.process import BaseProcess

    from line_core.store import Store
    from line_webhook.metrics import Metrics
    from line_webhook.settings import Settings
    from line_webhook.store_thread import Caller

_log = logging.getLogger(__name__)

_PURGE_EVERY_SECONDS: Final = 3600.0
_TRY_AGAIN_SECONDS: Final = 60.0
_PARENT_CHECK_SECONDS: Final = 1.0


class Background:
    """The tasks beside the requests; of several receivers on a store, one does each piece of work at a time."""

    def __init__(self, settings: Settings, store: Store, call: Caller, metrics: Metrics) -> None:
        """Set up; `running` runs."""
        self._settings = settings
        self._store = store
        self._call = call
        self._metrics = metrics
        self._owner = uuid.uuid4().hex
        manners = Manners(
            self._owner, settings.relay_timeout_seconds, timedelta(hours=settings.relay_give_up_hours), metrics
        )
        self._relays = {
            name: [Relay(store, call, name, url, manners) for url in channel.relay_urls]
            for name, channel in settings.channels_by_name().items()
        }

    def wake_relays(self, channel: str) -> None:
        """Say that a request of a channel was queued."""
        for relay in self._relays[channel]:
            relay.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run everything while the block runs; at its end, let requests that are being relayed be answered."""
        relays = [relay for of_channel in self._relays.values() for relay in of_channel]
        relaying = [asyncio.create_task(relay.run()) for relay in relays]
        others = []
        if self._settings.inbox_retention_days is not None:
            others.append(asyncio.create_task(self._retain(self._settings.inbox_retention_days)))
        parent = multiprocessing.parent_process()
        if parent is not None:
            others.append(asyncio.create_task(_end_with(parent)))
        try:
            yield
        finally:
            for task in others:
                task.cancel()
            for relay in relays:
                relay.close()
            if relaying:
                _, unfinished = await asyncio.wait(relaying, timeout=self._settings.relay_timeout_seconds)
                for task in unfinished:
                    task.cancel()
            await asyncio.gather(*relaying, *others, return_exceptions=True)

    async def _retain(self, days: float) -> None:
        while True:
            try:
                await self._purge(days)
            except StoreError as error:
                _log.warning("retention waits for the store: %s", error)
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            else:
                await asyncio.sleep(_PURGE_EVERY_SECONDS)

    async def _purge(self, days: float) -> None:
        if not await self._call(self._may_purge):
            return
        purge = Purge(self._store, days, unread=self._settings.inbox_purge_unread)
        removed = 0
        while (count := await self._call(purge.step)) is not None:
            removed += count
            self._metrics.add(PURGED, amount=count)
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        if removed:
            _log.info("retention removed %d events", removed)

    def _may_purge(self) -> bool:
        with self._store.write() as connection:
            return acquire_lease(connection, "purge", self._owner, _PURGE_EVERY_SECONDS / 2)


async def _end_with(parent: BaseProcess) -> None:
    """Stop this worker when the process that manages the workers is gone, however it went."""
    while parent.is_alive():  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(_PARENT_CHECK_SECONDS)
    _log.error("the parent process is gone")
    os.kill(os.getpid(), signal.SIGTERM)
