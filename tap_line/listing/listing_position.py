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
class ListingPosition:
    """A listing that is not at its end."""

    started_at: datetime
    source: str
    """Which list it is in, of those that it goes through."""
    after: str | None = None
    """Where the next page begins, such as LINE's continuation token; None for the first."""

    @classmethod
    def resumed(cls, mark: object, now: datetime) -> ListingPosition | None:
        """The scan that a state's mark tells of, unless it is too old or no mark at all.

        Args:
            mark: What `mark` gave, or whatever else a state holds.
            now: The time.
        """
        if not isinstance(mark, dict):
            return None
        try:
            started_at, saved_at = (datetime.fromisoformat(mark[name]) for name in ("started_at", "saved_at"))
        except (KeyError, TypeError, ValueError):
            return None
        source, after = mark.get("source"), mark.get("after")
        if not isinstance(source, str) or not isinstance(after, str | None):
            return None
        return cls(started_at, source, after) if timedelta() <= now - saved_at < _TOKEN_LIFE else None

    def at(self, source: str, after: str | None) -> ListingPosition:
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
