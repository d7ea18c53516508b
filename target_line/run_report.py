"""What a run did, counted while it goes and told at its end: each record of its input has one outcome."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_core.message_status import MessageStatus
from target_line.identity.repository import IdentityChanges
from target_line.intake.reject_limit import RejectLimit, TooManyRejectsError
from target_line.intake.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_line.intake.rejects import Reject
    from target_line.reasons import Reason
    from target_line.sending.claim.outcomes import RequestOutcome
    from target_line.sending.ledger import MessageCounts

TAKEN_IN = "taken in"
DUPLICATE = "duplicate"


class OutcomesError(Exception):
    """A defect: records of a run have no outcome, or several."""


@dataclass
class RunReport:
    """The figures of one run."""

    reject_limit: RejectLimit = field(default_factory=RejectLimit)
    received: Counter[Role] = field(default_factory=Counter)
    """Records of the input."""
    outcomes: defaultdict[Role, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Outcomes of the records received; those of new messages come at the end, from the ledger."""
    changes: IdentityChanges = field(default_factory=IdentityChanges)
    messages_new: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    """Messages settled in this run, of whatever run they came with, by status and reason."""
    _refused_in_sending: int = 0

    def add_rejects(self, role: Role, rejects: Sequence[Reject]) -> None:
        """Count refused records."""
        self.received[role] += len(rejects)
        self.outcomes[role].update(_outcome(MessageStatus.REJECTED, reject.reason) for reject in rejects)

    def add_evidence(self, role: Role, records: int, changes: IdentityChanges | None) -> None:
        """Count a batch of evidence and what it changed."""
        self.received[role] += records
        self.outcomes[role][TAKEN_IN] += records
        if changes:
            self.changes.add(changes)

    def add_messages(self, *, received: int, new: int) -> None:
        """Count a batch of staged messages."""
        self.received[Role.MESSAGES] += received
        self.outcomes[Role.MESSAGES][DUPLICATE] += received - new
        self.messages_new += new

    def add_unsent(self, settled: Mapping[tuple[MessageStatus, Reason], int]) -> None:
        """Count messages that ended without a request, or are held back."""
        for (status, reason), count in settled.items():
            self.sent[_outcome(status, reason)] += count
            self._refused_in_sending += count if status is MessageStatus.REJECTED else 0

    def add_results(self, results: Sequence[RequestOutcome]) -> None:
        """Count messages by what came of their requests."""
        for result in results:
            self.sent[result.status] += result.request.messages
            self._refused_in_sending += result.request.messages if result.status is MessageStatus.REJECTED else 0

    def reject_limit_error(self, *, final: bool = False) -> TooManyRejectsError | None:
        """The error that the records refused so far are, by `max_rejects`."""
        refused = sum(
            count
            for outcomes in self.outcomes.values()
            for outcome, count in outcomes.items()
            if outcome.startswith(MessageStatus.REJECTED)
        )
        known = self.received.total() - self.messages_new + self.sent.total()
        return self.reject_limit.exceeded(refused + self._refused_in_sending, known, final=final)

    def settle(self, outcomes: MessageCounts) -> None:
        """Add what has become of the run's new messages, as the ledger has it, and check that nothing is missing.

        Raises:
            OutcomesError: The outcomes do not add up to the records.
        """
        for (status, reason), count in outcomes.items():
            self.outcomes[Role.MESSAGES][_outcome(status, reason)] += count
        for role, received in self.received.items():
            if self.outcomes[role].total() != received:
                raise OutcomesError(f"{received:,} {role} records have {self.outcomes[role].total():,} outcomes")

    def as_json(self) -> dict[str, dict[str, int]]:
        """Outcomes by role, for the store."""
        return {role: dict(sorted((+outcomes).items())) for role, outcomes in sorted(self.outcomes.items())}

    def profile_changes(self) -> dict[str, Any]:
        """What the run did to the profiles, for the store."""
        return {
            "created": self.changes.profiles_added + self.changes.merged,
            "merged": self.changes.merged,
            "net": self.changes.profiles_added,
            "net_anonymous": self.changes.anonymous,
            "net_identified": self.changes.identified,
            "joins": dict(sorted(self.changes.joins.items())),
            "doubts": dict(sorted(self.changes.doubts.items())),
        }

    def lines(self) -> Iterator[str]:
        """The report, a line a subject, without any personal data."""
        for role, received in sorted(self.received.items()):
            yield f"{role}: {received:,} records: {_listed((+self.outcomes[role]).items())}"
        if any(role is not Role.MESSAGES for role in self.received):
            changes = self.changes
            created, net = changes.profiles_added + changes.merged, changes.profiles_added
            yield (
                f"people: {created:,} created, {changes.merged:,} merged into others, {net:+,} in all "
                f"(anonymous {changes.anonymous:+,}, identified {changes.identified:+,})"
            )
            yield f"merges and moves: {_listed(changes.joins.items())}"
            if changes.doubts:
                yield f"identifiers claimed by profiles that do not get them: {_listed(changes.doubts.items())}"
        if self.sent:
            yield f"sending, messages of earlier runs included: {_listed(self.sent.items())}"
        if any(outcome.startswith(MessageStatus.REJECTED) for counts in self.outcomes.values() for outcome in counts):
            yield "rejects, whole and with their reasons: `target-line-admin rejects`"


def _outcome(status: str, reason: str | None) -> str:
    return f"{status} ({reason})" if reason else str(status)


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts)) or "none"
