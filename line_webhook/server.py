"""Run the receiver: listen, say when it answers, end well."""

from __future__ import annotations

import http.client
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from uvicorn import Server

from line_core.errors import SettingError
from line_core.serving.listener import http_url, open_listener
from line_core.serving.uvicorn_names import Multiprocess
from line_core.store import open_store
from line_webhook.app import create_app
from line_webhook.logs import configure
from line_webhook.protocol import BoundedConfig

if TYPE_CHECKING:
    import socket

    from line_webhook.settings import Settings

_BACKLOG = 2048
# Longer than reverse proxies keep theirs (nginx: 60 s), so that none sends into a connection that closes.
_KEEP_ALIVE_SECONDS = 75
_LOOK_AGAIN_SECONDS = 0.05
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is in flight and return.

    Raises:
        SettingError: The address cannot be listened on, or the settings do not fit together.
        StoreError: The store cannot be used.
    """
    configure(settings.log_level)
    settings.channels_by_name()
    # Here, so that an unusable store ends the program with one line, and workers find the schema in place.
    with open_store(settings.store_url) as store:
        if settings.workers > 1 and store.is_sqlite:
            raise SettingError("several workers need a Postgres store", setting="workers or store_url")
    with (
        open_listener(settings.host, settings.port, backlog=_BACKLOG) as listener,
        tempfile.TemporaryDirectory(prefix="tap-line-") as counts,
    ):
        host, port = listener.getsockname()[:2]
        threading.Thread(target=_announce, args=(host, port), daemon=True).start()
        config = BoundedConfig(
            app=partial(create_app, settings, Path(counts)),
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
            _serve_here(config, listener)


def _serve_here(config: BoundedConfig, listener: socket.socket) -> None:
    # uvicorn raises the signal that ended it once more: then the program has done what was asked of it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    Server(config).run(sockets=[listener])


def _announce(host: str, port: int) -> None:
    while not _is_ready(_ANY_ADDRESS.get(host, host), port):
        time.sleep(_LOOK_AGAIN_SECONDS)
    print(f"tap-line-webhook ready at {http_url(host, port)}", flush=True)  # noqa: T201 - the program's output


def _is_ready(host: str, port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
