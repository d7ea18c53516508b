"""Whether the store can be written at the moment, as the last write or probe has shown."""

from __future__ import annotations

import logging
import time

_log = logging.getLogger(__name__)


class StoreAvailability:
    """The result of the last write or probe. Any thread may read and update it."""

    def __init__(self) -> None:
        self._unavailable_reason: str | None = None
        self._last_heartbeat = time.monotonic()

    @property
    def unavailable_reason(self) -> str | None:
        """Why events cannot be stored; none while the store is available."""
        return self._unavailable_reason

    @property
    def seconds_since_heartbeat(self) -> float:
        """Seconds since the last write or probe ended."""
        return time.monotonic() - self._last_heartbeat

    def mark_available(self) -> None:
        self._last_heartbeat = time.monotonic()
        if self._unavailable_reason is not None:
            _log.warning("events can be stored again")
        self._unavailable_reason = None

    def mark_unavailable(self, reason: str) -> None:
        self._last_heartbeat = time.monotonic()
        if self._unavailable_reason is None:
            _log.error("events cannot be stored: %s", reason)
        self._unavailable_reason = reason
