"""Which interaction statistics to read again, and in which order. Pure functions.

LINE revises the statistics of a message for 14 days. Each run reads the statistics that can have changed, within a
request budget.

Source: LINE Messaging API reference, "Get user interaction statistics": statistics are updated for 14 days from the
time a message was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

REVISION_PERIOD = timedelta(days=14)
"""Time after sending in which LINE revises the statistics."""

# LINE counts by days, so the last revision can be up to one day later.
_MARGIN = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class StatisticsItem:
    """Statistics of one message or campaign month. They are final some time after the last message was sent."""

    sent_at: datetime
    key: str

    @property
    def final_at(self) -> datetime:
        """Time after which the statistics do not change."""
        return self.sent_at + REVISION_PERIOD + _MARGIN


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """The last read of each item that is not final."""

    last_reads: Mapping[str, datetime]
    """Time of the last read by item key, only for items sent after `final_until`."""
    final_until: datetime = _NEVER
    """All items sent up to this time have been read after they became final."""

    @classmethod
    def from_bookmark(cls, bookmark: object) -> ReadHistory:
        """Return the history in a bookmark, or an empty history if there is no bookmark."""
        if not isinstance(bookmark, dict):
            return cls({})
        last_reads = {key: datetime.fromisoformat(at) for key, at in bookmark["last"].items()}
        return cls(last_reads, datetime.fromisoformat(bookmark["settled_until"]))

    def to_bookmark(self) -> dict[str, object]:
        """Return the history as JSON for the state."""
        return {
            "settled_until": self.final_until.isoformat(),
            "last": {key: at.isoformat() for key, at in sorted(self.last_reads.items())},
        }

    def due(self, items: Iterable[StatisticsItem]) -> list[StatisticsItem]:
        """Return the items that can have changed since their last read. The least recently read item comes first."""
        unread = [item for item in items if item.sent_at > self.final_until and not self._is_final(item)]
        return sorted(unread, key=lambda item: (self.last_reads.get(item.key, _NEVER), item))

    def after_read(self, read: StatisticsItem, at: datetime, items: Collection[StatisticsItem]) -> ReadHistory:
        """Return the history with one more read.

        Args:
            read: The item that was read.
            at: Time of the read.
            items: All items.
        """
        history = ReadHistory({**self.last_reads, read.key: at}, self.final_until)
        first_due = min((item.sent_at for item in history.due(items)), default=None)
        final = (item.sent_at for item in items if first_due is None or item.sent_at < first_due)
        final_until = max(final, default=self.final_until)
        kept = {item.key for item in items if item.sent_at > final_until}
        return ReadHistory({key: time for key, time in history.last_reads.items() if key in kept}, final_until)

    def _is_final(self, item: StatisticsItem) -> bool:
        return self.last_reads.get(item.key, _NEVER) >= item.final_at
