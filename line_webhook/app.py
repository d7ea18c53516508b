"""The receiver put together as an ASGI application."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from line_core.errors import StoreError
from line_core.store import open_store
from line_core.store.inbox import relay_queue
from line_webhook.background import Background
from line_webhook.bodies import Bodies
from line_webhook.endpoint import WebhookEndpoint
from line_webhook.gauges import current_gauges, stored_gauges
from line_webhook.logs import access_log, configure
from line_webhook.metrics import Metrics
from line_webhook.store_thread import StoreThread
from line_webhook.storing import Storing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from line_webhook.settings import Settings

_GAUGE_SECONDS = 1.0


def create_app(settings: Settings, metrics_directory: Path | None = None) -> Starlette:
    """Make the application, with its store open; its lifespan ends by closing it.

    Args:
        settings: The settings.
        metrics_directory: Where all workers of this receiver count; by default this is the only one.

    Raises:
        StoreError: The store cannot be used.
        SettingError: The settings do not fit together.
    """
    configure(settings.log_level)
    channels = settings.channels_by_name()
    store = open_store(settings.store_url)
    metrics = Metrics(list(channels), metrics_directory)
    targets = {name: [relay_queue.target_id(url) for url in channel.relay_urls] for name, channel in channels.items()}
    storing = Storing(store, targets, metrics)
    thread = StoreThread(storing.write, storing.probe, patience_seconds=settings.store_timeout_seconds)
    bodies = Bodies(settings.max_body_bytes, settings.max_buffered_bytes)
    background = Background(settings, store, thread.call, metrics)
    endpoint = WebhookEndpoint(
        {name: channel.secrets for name, channel in channels.items()},
        bodies,
        thread,
        background.wake_relays,
        observed_by=(metrics, access_log(settings.log_level)),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # What was made so far stays: looking through it for garbage would halt all requests for 50 ms now and then.
        gc.collect()
        gc.freeze()
        thread.start()
        try:
            async with background.running():
                yield
        finally:
            await thread.close()
            store.close()

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        if thread.trouble is not None:
            return JSONResponse({"status": "events cannot be stored at present"}, 503)
        return JSONResponse({"status": "ready"})

    async def show_metrics(_request: Request) -> Response:
        gauges = current_gauges(thread, bodies)
        if thread.trouble is None:
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_GAUGE_SECONDS):
                    gauges += await thread.call(partial(stored_gauges, store))
        return PlainTextResponse(metrics.render(gauges), media_type="text/plain; version=0.0.4")

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/webhook/{channel}", endpoint, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/ready", ready, methods=["GET"]),
            Route("/metrics", show_metrics, methods=["GET"]),
        ],
    )
    app.router.redirect_slashes = False
    return app
