"""What a run did, counted while it goes and told at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_line.identity.repository import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_line.reasons import Reason
    from target_line.rejects import Reject
    from target_line.roles import Role
    from target_line.sending.ledger import Result, Status


@dataclass
class Report:
    """The figures of one run."""

    evidence: Counter[Role] = field(default_factory=Counter)
    changes: Changes = field(default_factory=Changes)
    rejects: Counter[Reason] = field(default_factory=Counter)
    messages_received: int = 0
    messages_new: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    """Messages settled in this run, by status and reason."""

    def add_rejects(self, rejects: Sequence[Reject]) -> None:
        """Count refused records."""
        self.rejects.update(reject.reason for reject in rejects)

    def add_evidence(self, role: Role, records: int, changes: Changes | None) -> None:
        """Count a batch of evidence and what it changed."""
        self.evidence[role] += records
        if changes:
            self.changes.add(changes)

    def add_messages(self, *, received: int, new: int) -> None:
        """Count a batch of staged messages."""
        self.messages_received += received
        self.messages_new += new

    def add_settled(self, settled: Mapping[tuple[Status, Reason], int]) -> None:
        """Count messages that ended without a request."""
        for (status, reason), count in settled.items():
            self.sent[f"{status} ({reason})"] += count

    def add_results(self, results: Sequence[Result]) -> None:
        """Count messages by what came of their requests."""
        self.sent.update(result.status for result in results)

    def lines(self) -> Iterator[str]:
        """The report, a line a subject, without any personal data."""
        if self.evidence:
            yield (
                f"identity: {sum(self.evidence.values()):,} records ({_listed(self.evidence.items())}); "
                f"profiles {self.changes.profiles_added:+,}; merges and moves: {_listed(self.changes.joins.items())}"
            )
        if self.messages_received:
            before = self.messages_received - self.messages_new
            yield f"messages: {self.messages_received:,} received, {self.messages_new:,} new, {before:,} known before"
        if self.sent:
            yield f"sending: {_listed(self.sent.items())}"
        if self.rejects:
            yield f"rejects: {_listed(self.rejects.items())}; see `target-line-admin rejects`"


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts)) or "none"
