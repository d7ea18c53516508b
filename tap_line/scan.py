"""A full listing under way, as the state keeps it: a killed run goes on at the page where it was.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account": a continuation token
lives 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

_TOKEN_LIFE = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Scan:
    """A listing that is not at its end."""

    started_at: datetime
    source: str
    after: str | None = None
    """Continuation token of the next page; None for the first."""

    @classmethod
    def begin_or_resume(cls, mark: object, source: str, now: datetime) -> Scan:
        """Go on where the state's mark says, or begin.

        Args:
            mark: What `mark` gave, or whatever else a state holds.
            source: What is listed first in a new scan.
            now: The time.
        """
        begun = cls(now, source)
        if not isinstance(mark, dict):
            return begun
        try:
            resumed = cls(datetime.fromisoformat(mark["started_at"]), mark["source"], mark.get("after"))
            saved_at = datetime.fromisoformat(mark["saved_at"])
        except (KeyError, TypeError, ValueError):
            return begun
        return resumed if timedelta() <= now - saved_at < _TOKEN_LIFE else begun

    def at(self, source: str, after: str | None) -> Scan:
        """The same scan, further on."""
        return replace(self, source=source, after=after)

    def mark(self, now: datetime) -> dict[str, Any]:
        """What the state keeps."""
        return {
            "started_at": self.started_at.isoformat(),
            "source": self.source,
            "after": self.after,
            "saved_at": now.isoformat(),
        }
