"""Run the HTTP server: listen, report when it is ready, drain at the end."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from uvicorn import Server

from line_core.errors import SettingError
from line_core.serving.listener import http_url, open_listener
from line_core.serving.uvicorn_names import Multiprocess
from line_core.store import open_store
from line_webhook.json_logs import configure_logging
from line_webhook.receiving.connection_limits import LimitedConfig

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from line_webhook.settings import ReceiverSettings

_BACKLOG = 2048
# Longer than the keep-alive timeout of reverse proxies (nginx: 60 s), so that the proxy closes idle connections first.
_KEEP_ALIVE_SECONDS = 75
_READY_POLL_SECONDS = 0.05
_UNSPECIFIED_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def serve(settings: ReceiverSettings) -> None:
    """Serve until SIGTERM or SIGINT, then respond to the requests in flight and return.

    Raises:
        SettingError: The address cannot be used, or the settings contradict each other.
        StoreError: The store cannot be used.
    """
    configure_logging(settings.log_level)
    settings.channels_by_name()
    # Open the store in this process first: an unusable store then ends the program with one line, and the workers
    # find the schema up to date.
    with open_store(settings.store_url) as store:
        if settings.workers > 1 and store.is_sqlite:
            raise SettingError("several workers need a Postgres store", setting="workers or store_url")
    with (
        open_listener(settings.host, settings.port, backlog=_BACKLOG) as listener,
        tempfile.TemporaryDirectory(prefix="tap-line-") as metrics_directory,
    ):
        # For this process and its workers; must be set before prometheus-client is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_directory
        host, port = listener.getsockname()[:2]
        threading.Thread(target=_report_ready, args=(host, port), daemon=True).start()
        config = LimitedConfig(
            app=partial(_create_app, settings),
            factory=True,
            client_timeout_seconds=settings.client_timeout_seconds,
            workers=settings.workers,
            limit_concurrency=settings.max_connections,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.drain_seconds,
            backlog=_BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
        )
        if settings.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            _serve_in_this_process(config, listener)


def _create_app(settings: ReceiverSettings) -> Starlette:
    from line_webhook.app import create_app  # noqa: PLC0415 - imports prometheus-client; see `serve`

    return create_app(settings)


def _serve_in_this_process(config: LimitedConfig, listener: socket.socket) -> None:
    # After its shutdown, uvicorn raises the received signal again. The program has then ended as requested: exit 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    Server(config).run(sockets=[listener])


def _report_ready(host: str, port: int) -> None:
    while not _is_ready(_UNSPECIFIED_ADDRESSES.get(host, host), port):
        time.sleep(_READY_POLL_SECONDS)
    print(f"tap-line-webhook ready at {http_url(host, port)}", flush=True)  # noqa: T201 - the program's output


def _is_ready(host: str, port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
