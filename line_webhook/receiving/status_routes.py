"""`GET /health`, `GET /ready` and `GET /metrics`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from line_core.errors import StoreError
from line_webhook.metrics.counters import CONTENT_TYPE, render_metrics
from line_webhook.metrics.gauges import store_gauges, worker_gauges

if TYPE_CHECKING:
    from starlette.requests import Request

    from line_webhook.receiving.request_bodies import RequestBodies
    from line_webhook.storage.async_store import AsyncStore
    from line_webhook.storage.group_commit import GroupCommitThread
    from line_webhook.storage.request_writer import SignedRequest

_GAUGE_TIMEOUT_SECONDS: Final = 1.0


def status_routes(thread: GroupCommitThread[SignedRequest], store: AsyncStore, bodies: RequestBodies) -> list[Route]:
    """Return the routes that report the state of this worker and the metrics of all workers."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        if thread.unavailable_reason is not None:
            return JSONResponse({"status": "events cannot be stored at the moment"}, 503)
        return JSONResponse({"status": "ready"})

    async def metrics(_request: Request) -> Response:
        gauges = worker_gauges(
            is_ready=thread.unavailable_reason is None,
            waiting_requests=thread.waiting_items,
            buffered_bytes=bodies.buffered_bytes,
        )
        if thread.unavailable_reason is None:
            # A store that is slow or unavailable must not make the metrics unavailable.
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_GAUGE_TIMEOUT_SECONDS):
                    gauges += await store.read(store_gauges)
        return Response(render_metrics(gauges), media_type=CONTENT_TYPE)

    return [
        Route("/health", health, methods=["GET"]),
        Route("/ready", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
