"""Run the receiver: listen, say when it answers, end well."""

from __future__ import annotations

import http.client
import logging
import signal
import socket
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import uvicorn

from line_core.errors import SettingError
from line_core.store import open_store
from tap_line.webhook.app import create_app

if TYPE_CHECKING:
    from tap_line.webhook.settings import Settings

_BACKLOG = 2048
_LOOK_AGAIN_SECONDS = 0.05


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is in flight and return.

    Raises:
        SettingError: The address cannot be listened on.
        StoreError: The store cannot be used.
    """
    # Here, so that a store that cannot be used ends the program with one line and not a failed start-up.
    open_store(settings.store_url).close()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        create_app(settings), log_config=None, access_log=False, server_header=False, lifespan="on", ws="none"
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        raise SettingError(f"cannot listen on {host}:{port}: {error.strerror}", setting="host or port") from None
    return listener


def _announce(host: str, port: int) -> None:
    while not _answers(host, port):
        time.sleep(_LOOK_AGAIN_SECONDS)
    shown = f"[{host}]" if ":" in host else host
    print(f"tap-line-webhook ready at http://{shown}:{port}", flush=True)  # noqa: T201 - the program's output


def _answers(host: str, port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
