"""The changes of profiles that a batch of evidence causes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from line_core.identity.results import MergeRule

if TYPE_CHECKING:
    from line_core.identity.results import RejectionReason


@dataclass
class IdentityChanges:
    """Counts of one batch, or the sum of several batches."""

    anonymous: int = 0
    """Net change of the number of profiles that have only LINE IDs."""
    identified: int = 0
    """Net change of the number of profiles that have an id or email."""
    merges: Counter[MergeRule] = field(default_factory=Counter)
    """New merges and moved identifiers by rule."""
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
        """Number of profiles that were merged into another profile."""
        return self.merges[MergeRule.ANONYMOUS_IDENTIFIED] + self.merges[MergeRule.EMAIL_IDENTIFIED]

    def add(self, other: IdentityChanges) -> None:
        """Add the counts of another batch."""
        self.anonymous += other.anonymous
        self.identified += other.identified
        self.merges.update(other.merges)
        self.rejections.update(other.rejections)
