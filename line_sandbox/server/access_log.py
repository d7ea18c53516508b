"""The access log: one line for each request. It has no headers, queries or bodies, so it shows no tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest

_COLORS = {"2": "32", "3": "36", "4": "33", "5": "31", "d": "35"}
"""ANSI color codes by the first character of the status; `d` is for dropped connections."""


class AccessLogWriter:
    """Writes lines to a stream, in color if it is a terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        """Store the stream; None disables the log."""
        self._stream = stream
        self._is_colored = stream is not None and stream.isatty()
        self._second = 0
        self._time = ""

    def write(self, request: HttpRequest, status: int | str, seconds: float, note: str) -> None:
        """Write one line; `seconds` is the duration of the request."""
        if self._stream is None:
            return
        now = int(time.time())
        if now != self._second:
            self._second, self._time = now, time.strftime("%H:%M:%S", time.localtime(now))
        status_text = str(status)
        if self._is_colored:
            status_text = f"\033[{_COLORS.get(status_text[0], '0')}m{status_text}\033[0m"
        path = request.path if request.path.isprintable() else ascii(request.path)
        end = f"  {note}" if note else ""
        self._stream.write(f"{self._time} {request.method:<6} {path} {status_text} {seconds * 1000:.1f} ms{end}\n")
        self._stream.flush()
