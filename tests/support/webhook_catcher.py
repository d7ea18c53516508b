"""A webhook server that keeps all requests and responds with given statuses."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


@dataclass
class WebhookCatcher:
    """An HTTP server on a free port; use it as a context manager."""

    status_of: Callable[[int], int] = lambda _: 200
    """Returns the response status for the index of a request."""
    requests: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """Headers (names in lower case) and body of each request."""

    def __enter__(self) -> Self:
        catcher = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with lock:
                    index = len(catcher.requests)
                    catcher.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(catcher.status_of(index))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def events(self) -> list[dict[str, Any]]:
        """Return the events of all requests, in order of arrival."""
        return [event for body in self.bodies() for event in body["events"]]
