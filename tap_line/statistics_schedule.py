"""Figures that move for a while and then freeze: which to read again, and in what order. Pure.

Source: LINE Messaging API reference, "Get user interaction statistics": statistics are updated for 14 days from the
time a message was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MOVING = timedelta(days=14)
"""How long figures move after a send."""

_MARGIN = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Moving:
    """Figures that move until some time after their last message was sent."""

    sent_at: datetime
    key: str

    @property
    def frozen_at(self) -> datetime:
        """When they certainly move no more; a day later than LINE says, since it counts by days."""
        return self.sent_at + MOVING + _MARGIN


@dataclass(frozen=True, slots=True)
class Reads:
    """What was read when."""

    last: Mapping[str, datetime]
    """By key, the last time; only of what was sent after `settled_until`."""
    settled_until: datetime = _NEVER
    """Everything that was sent up to then has been read after it froze."""

    @classmethod
    def from_mark(cls, mark: object) -> Reads:
        """What a state's mark tells, or nothing."""
        if not isinstance(mark, dict):
            return cls({})
        last = {key: datetime.fromisoformat(at) for key, at in mark["last"].items()}
        return cls(last, datetime.fromisoformat(mark["settled_until"]))

    def mark(self) -> dict[str, object]:
        """What the state keeps."""
        return {
            "settled_until": self.settled_until.isoformat(),
            "last": {key: at.isoformat() for key, at in sorted(self.last.items())},
        }

    def due(self, figures: Iterable[Moving]) -> list[Moving]:
        """Those that may have moved since they were read: what was never read first, then the longest ago."""
        moving = [each for each in figures if each.sent_at > self.settled_until and not self._is_settled(each)]
        return sorted(moving, key=lambda each: (self.last.get(each.key, _NEVER), each))

    def after(self, read: Moving, at: datetime, figures: Collection[Moving]) -> Reads:
        """What was read, one more being read.

        Args:
            read: What was read.
            at: When.
            figures: All there are.
        """
        reads = Reads({**self.last, read.key: at}, self.settled_until)
        open_since = min((each.sent_at for each in reads.due(figures)), default=None)
        settled = (each.sent_at for each in figures if open_since is None or each.sent_at < open_since)
        settled_until = max(settled, default=self.settled_until)
        kept = {each.key for each in figures if each.sent_at > settled_until}
        return Reads({key: time for key, time in reads.last.items() if key in kept}, settled_until)

    def _is_settled(self, figures: Moving) -> bool:
        return self.last.get(figures.key, _NEVER) >= figures.frozen_at
