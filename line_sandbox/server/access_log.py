"""The access log: a line a request, to be read by people, without headers, queries or bodies, so without tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest

_COLOURS = {"2": "32", "3": "36", "4": "33", "5": "31", "d": "35"}


class AccessLog:
    """Writes to a stream; coloured where that is a terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        """Choose where to.

        Args:
            stream: None for nowhere.
        """
        self._stream = stream
        self._coloured = stream is not None and stream.isatty()
        self._second = 0
        self._time = ""

    def write(self, request: HttpRequest, status: int | str, seconds: float, note: str) -> None:
        """Tell of one request."""
        if self._stream is None:
            return
        now = int(time.time())
        if now != self._second:
            self._second, self._time = now, time.strftime("%H:%M:%S", time.localtime(now))
        shown = str(status)
        if self._coloured:
            shown = f"\033[{_COLOURS.get(shown[0], '0')}m{shown}\033[0m"
        path = request.path if request.path.isprintable() else ascii(request.path)
        tail = f"  {note}" if note else ""
        self._stream.write(f"{self._time} {request.method:<6} {path} {shown} {seconds * 1000:.1f} ms{tail}\n")
        self._stream.flush()
