"""Run the relays and the retention beside the requests.

Several receivers may share a store. Leases make sure that one of them at a time runs a relay or the retention.
"""

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
from line_webhook.background.relay import Relay, RelayOptions
from line_webhook.background.retention import PAUSE_BETWEEN_STEPS_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from multiprocessing.process import BaseProcess

    from line_webhook.background.retention import RetentionPurge
    from line_webhook.metrics.counters import ReceiverMetrics
    from line_webhook.settings import ReceiverSettings
    from line_webhook.storage.async_store import AsyncStore

_log = logging.getLogger(__name__)

_PURGE_INTERVAL_SECONDS: Final = 3600.0
_PURGE_RETRY_SECONDS: Final = 60.0
_PARENT_CHECK_SECONDS: Final = 1.0


class BackgroundRunner:
    """Starts and stops the background tasks of one process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        store: AsyncStore,
        metrics: ReceiverMetrics,
        new_purge: Callable[[], RetentionPurge] | None,
    ) -> None:
        """Create the relays; call `running` to run all tasks.

        Args:
            settings: The channels and the relay settings.
            store: The store.
            metrics: Counts relayed requests and removed events.
            new_purge: Starts a pass of the retention; none for no retention.
        """
        self._store = store
        self._metrics = metrics
        self._new_purge = new_purge
        self._owner = uuid.uuid4().hex
        self._drain_seconds = settings.relay_timeout_seconds
        options = RelayOptions(
            self._owner, settings.relay_timeout_seconds, timedelta(hours=settings.relay_give_up_hours)
        )
        self._relays = {
            name: [Relay(store, name, url, options, metrics) for url in channel.relay_urls]
            for name, channel in settings.channels_by_name().items()
        }

    def wake_relays(self, channel: str) -> None:
        """Wake the relays of a channel, because a request was queued."""
        for relay in self._relays[channel]:
            relay.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all tasks during the block. At its end, wait for the relayed requests in flight."""
        relays = [relay for relays_of_channel in self._relays.values() for relay in relays_of_channel]
        relay_tasks = [asyncio.create_task(relay.run()) for relay in relays]
        other_tasks = []
        if self._new_purge is not None:
            other_tasks.append(asyncio.create_task(self._run_retention(self._new_purge)))
        parent = multiprocessing.parent_process()
        if parent is not None:
            other_tasks.append(asyncio.create_task(_stop_when_parent_ends(parent)))
        try:
            yield
        finally:
            for task in other_tasks:
                task.cancel()
            for relay in relays:
                relay.close()
            if relay_tasks:
                _, unfinished = await asyncio.wait(relay_tasks, timeout=self._drain_seconds)
                for task in unfinished:
                    task.cancel()
            await asyncio.gather(*relay_tasks, *other_tasks, return_exceptions=True)

    async def _run_retention(self, new_purge: Callable[[], RetentionPurge]) -> None:
        while True:
            try:
                await self._purge(new_purge)
            except StoreError as error:
                _log.warning("retention waits for the store: %s", error)
                await asyncio.sleep(_PURGE_RETRY_SECONDS)
            else:
                await asyncio.sleep(_PURGE_INTERVAL_SECONDS)

    async def _purge(self, new_purge: Callable[[], RetentionPurge]) -> None:
        if not await self._store.write(
            lambda connection: acquire_lease(connection, "purge", self._owner, _PURGE_INTERVAL_SECONDS / 2)
        ):
            return
        purge = new_purge()
        removed = 0
        while (count := await self._store.call(purge.step)) is not None:
            removed += count
            self._metrics.count_purged(count)
            await asyncio.sleep(PAUSE_BETWEEN_STEPS_SECONDS)
        if removed:
            _log.info("retention removed %d events", removed)


async def _stop_when_parent_ends(parent: BaseProcess) -> None:
    """Stop this worker when the parent process, which manages the workers, has ended for any reason."""
    while parent.is_alive():  # noqa: ASYNC110 - there is no event for the end of the parent
        await asyncio.sleep(_PARENT_CHECK_SECONDS)
    _log.error("the parent process has ended")
    os.kill(os.getpid(), signal.SIGTERM)
