"""The position of an unfinished listing, as the state keeps it. An interrupted run continues at this page.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account": a continuation token
is valid for 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

_TOKEN_LIFETIME = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class ListingPosition:
    """The next page of a listing that has not ended."""

    started_at: datetime
    """Start of the listing."""
    source: str
    """The current list, of those that the listing consists of."""
    after: str | None = None
    """Start of the next page, such as LINE's continuation token; None for the first page of `source`."""

    @classmethod
    def from_bookmark(cls, bookmark: object, now: datetime) -> ListingPosition | None:
        """Return the position in a bookmark, or None if the bookmark is missing, invalid or too old.

        Args:
            bookmark: Result of `to_bookmark`, or any other JSON value of a state.
            now: Current time.
        """
        if not isinstance(bookmark, dict):
            return None
        try:
            started_at, saved_at = (datetime.fromisoformat(bookmark[name]) for name in ("started_at", "saved_at"))
        except (KeyError, TypeError, ValueError):
            return None
        source, after = bookmark.get("source"), bookmark.get("after")
        if not isinstance(source, str) or not isinstance(after, str | None):
            return None
        return cls(started_at, source, after) if timedelta() <= now - saved_at < _TOKEN_LIFETIME else None

    def to_bookmark(self, now: datetime) -> dict[str, Any]:
        """Return the position as JSON for the state."""
        return {
            "started_at": self.started_at.isoformat(),
            "source": self.source,
            "after": self.after,
            "saved_at": now.isoformat(),
        }

    def moved_to(self, source: str, after: str | None) -> ListingPosition:
        """Return a later position of the same listing."""
        return replace(self, source=source, after=after)
