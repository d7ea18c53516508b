"""Retention in the background: one process at a time, with retries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from line_core.errors import StoreError
from line_core.store.leases import acquire_lease
from line_webhook.background import runner as module
from line_webhook.background.retention import RetentionPurge
from line_webhook.background.runner import BackgroundRunner
from line_webhook.metrics.counters import ReceiverMetrics
from line_webhook.settings import ReceiverSettings
from line_webhook.storage.async_store import AsyncStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from line_core.store import Store


class PurgeFactory:
    """Starts retention passes and counts them; the first passes fail."""

    def __init__(self, store: Store, failures: int = 0) -> None:
        self._store = store
        self._failures = failures
        self.started = 0

    def __call__(self) -> RetentionPurge:
        self.started += 1
        if self.started <= self._failures:
            raise StoreError("the store is down")
        return RetentionPurge(self._store, 30, include_unread=False)


def make_runner(store: Store, new_purge: PurgeFactory) -> BackgroundRunner:
    async def call(function: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(function)

    return BackgroundRunner(
        ReceiverSettings(channel_secret="s"), AsyncStore(store, call), ReceiverMetrics(["main"]), new_purge
    )


async def test_retention_retries_after_an_error_of_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_PURGE_RETRY_SECONDS", 0.01)
    new_purge = PurgeFactory(store, failures=2)
    async with make_runner(store, new_purge).running(), asyncio.timeout(20):
        while new_purge.started < 3:
            await asyncio.sleep(0.01)
    assert caplog.text.count("retention waits for the store: the store is down") == 2


async def test_retention_does_not_run_while_another_process_has_the_lease(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PURGE_INTERVAL_SECONDS", 0.02)
    with store.write() as connection:
        assert acquire_lease(connection, "purge", "another process", 60)
    new_purge = PurgeFactory(store)
    async with make_runner(store, new_purge).running():
        await asyncio.sleep(0.3)
    assert new_purge.started == 0
