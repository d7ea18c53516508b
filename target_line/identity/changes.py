"""The changes of profiles that a batch of evidence causes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_core.identity.results import MergeRule, RejectionReason


@dataclass
class IdentityChanges:
    """Counts of one batch, or the sum of several batches."""

    anonymous: int = 0
    """Net change of the number of profiles that have only LINE IDs."""
    identified: int = 0
    """Net change of the number of profiles that have an id or email."""
    absorbed: int = 0
    """Net change of the number of absorbed identifiers: those that would be the key of a profile without merges."""
    merges: Counter[MergeRule] = field(default_factory=Counter)
    """New rows in `merges` by rule."""
    rejections: Counter[RejectionReason] = field(default_factory=Counter)
    """Identifiers that a profile claims and does not get, by reason."""
    forgotten: int = 0
    """Records that were not stored, because the person was erased after they were parsed."""

    @property
    def profiles_added(self) -> int:
        """Net change of the number of profiles: a merge of two profiles counts as -1."""
        return self.anonymous + self.identified

    @property
    def profiles_merged(self) -> int:
        """Net change of the number of profiles that are merged into another profile.

        As a sum of changes, it depends on all records, not on how they are divided into batches and runs.
        """
        return self.absorbed

    @property
    def profiles_created(self) -> int:
        """Number of profiles that there are more, not counting merges."""
        return self.profiles_added + self.absorbed

    def add(self, other: IdentityChanges) -> None:
        """Add the counts of another batch."""
        self.anonymous += other.anonymous
        self.identified += other.identified
        self.absorbed += other.absorbed
        self.merges.update(other.merges)
        self.rejections.update(other.rejections)
