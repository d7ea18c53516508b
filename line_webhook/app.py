"""Build the receiver's ASGI application."""

from __future__ import annotations

import gc
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from line_core.store import open_store
from line_core.store.inbox import relay_queue
from line_webhook.background.retention import RetentionPurge
from line_webhook.background.runner import BackgroundRunner
from line_webhook.json_logs import configure_logging
from line_webhook.metrics.counters import ReceiverMetrics
from line_webhook.receiving.access_log import WebhookAccessLog
from line_webhook.receiving.endpoint import ReceiverEndpoint, RequestRecorder
from line_webhook.receiving.request_bodies import RequestBodies
from line_webhook.receiving.status_routes import status_routes
from line_webhook.storage.async_store import AsyncStore
from line_webhook.storage.group_commit import GroupCommitThread
from line_webhook.storage.request_writer import RequestWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from line_core.store import Store
    from line_webhook.settings import ReceiverSettings


def create_app(settings: ReceiverSettings) -> Starlette:
    """Open the store and build the application. The end of its lifespan closes the store.

    Raises:
        StoreError: The store cannot be used.
        SettingError: The settings contradict each other.
    """
    configure_logging(settings.log_level)
    channels = settings.channels_by_name()
    store = open_store(settings.store_url)
    metrics = ReceiverMetrics(list(channels))
    targets = {name: [relay_queue.target_id(url) for url in channel.relay_urls] for name, channel in channels.items()}
    writer = RequestWriter(store, targets, metrics)
    thread = GroupCommitThread(writer.write, writer.probe, timeout_seconds=settings.store_timeout_seconds)
    async_store = AsyncStore(store, thread.call)
    bodies = RequestBodies(max_body_bytes=settings.max_body_bytes, max_buffered_bytes=settings.max_buffered_bytes)
    background = BackgroundRunner(settings, async_store, metrics, _purge_factory(settings, store))
    endpoint = ReceiverEndpoint(
        {name: channel.secrets for name, channel in channels.items()},
        bodies,
        thread,
        RequestRecorder(metrics, WebhookAccessLog.for_level(settings.log_level)),
        background.wake_relays,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Exclude the objects created so far from garbage collection: a full collection blocks all requests for 50 ms.
        gc.collect()
        gc.freeze()
        thread.start()
        try:
            async with background.running():
                yield
        finally:
            await thread.close()
            store.close()

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/webhook/{channel}", endpoint, methods=["POST"]),
            *status_routes(thread, async_store, bodies),
        ],
    )
    app.router.redirect_slashes = False
    return app


def _purge_factory(settings: ReceiverSettings, store: Store) -> Callable[[], RetentionPurge] | None:
    days = settings.inbox_retention_days
    return None if days is None else partial(RetentionPurge, store, days, include_unread=settings.inbox_purge_unread)
