"""Counts of one run: every input record has exactly one outcome. Logged and stored at the end of the run."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from line_core.identity.results import RejectionReason
from line_core.message_status import MessageStatus
from target_line.identity.changes import IdentityChanges
from target_line.intake.reject_limit import RejectLimit, TooManyRejectsError
from target_line.intake.roles import Role
from target_line.intake.stream_tally import StreamTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_line.intake.rejects import Reject
    from target_line.reasons import Reason

STORED = "taken in"
"""Outcome of a record of identity evidence. The text is part of the stored reports of runs."""
DUPLICATE = "duplicate"
"""Outcome of a message whose message_id was in the ledger before."""


CANCELLED = "withdrew a message"
"""Outcome of a cancellation."""


class OutcomesError(Exception):
    """A defect: records of a run have no outcome, or more than one."""


class _CountedRequest(Protocol):
    @property
    def messages(self) -> int: ...


class CountedOutcome(Protocol):
    """The outcome of a request that carried messages."""

    @property
    def status(self) -> MessageStatus:
        """Status of the request and of its messages."""

    @property
    def request(self) -> _CountedRequest:
        """The request; `messages` is the number of messages in it."""


@dataclass
class RunReport:
    """The counts of one run."""

    reject_limit: RejectLimit = field(default_factory=RejectLimit)
    received: Counter[Role] = field(default_factory=Counter)
    """Input records by stream role."""
    outcomes: defaultdict[Role, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Outcomes of the input records; those of new messages are added at the end, from the ledger."""
    streams: StreamTally = field(default_factory=StreamTally)
    notices: Counter[str] = field(default_factory=Counter)
    """Accepted records of which an identifier was removed, by reason."""
    changes: IdentityChanges = field(default_factory=IdentityChanges)
    messages_new: int = 0
    """Messages that this run added to the ledger."""
    sent: Counter[str] = field(default_factory=Counter)
    """Messages processed after the input, including those of earlier runs, by status and reason."""
    _rejected_in_sending: int = 0

    def add_rejects(self, role: Role, rejects: Sequence[Reject]) -> None:
        """Count rejected records."""
        self.received[role] += len(rejects)
        self.streams.add_rejects(rejects)
        self.outcomes[role].update(_outcome(MessageStatus.REJECTED, reject.reason) for reject in rejects)

    def add_notices(self, notices: Sequence[Reject]) -> None:
        """Count accepted records of which an identifier was removed."""
        self.notices.update(str(notice.reason) for notice in notices)

    def add_evidence(self, role: Role, stream: str, records: int, changes: IdentityChanges) -> None:
        """Count the accepted records of a batch of evidence, and the changes of profiles that it caused."""
        self.streams.add_accepted(stream, records)
        self.received[role] += records
        self.outcomes[role][STORED] += records
        self.changes.add(changes)

    def add_messages(self, stream: str, *, received: int, new: int) -> None:
        """Count a batch of messages; those that are not new are duplicates."""
        self.streams.add_accepted(stream, received)
        self.received[Role.MESSAGES] += received
        self.outcomes[Role.MESSAGES][DUPLICATE] += received - new
        self.messages_new += new

    def add_cancellations(self, role: Role, stream: str, cancelled: int) -> None:
        """Count the cancellations of a batch that took effect."""
        self.streams.add_accepted(stream, cancelled)
        self.received[role] += cancelled
        self.outcomes[role][CANCELLED] += cancelled

    def add_unsent(self, counts: Mapping[tuple[MessageStatus, Reason], int]) -> None:
        """Count messages for which no request was sent: rejected, skipped, unknown or postponed."""
        for (status, reason), count in counts.items():
            self.sent[_outcome(status, reason)] += count
            self._rejected_in_sending += count if status is MessageStatus.REJECTED else 0

    def add_results(self, outcomes: Iterable[CountedOutcome]) -> None:
        """Count the messages of requests by the status of the request."""
        for outcome in outcomes:
            self.sent[outcome.status] += outcome.request.messages
            self._rejected_in_sending += outcome.request.messages if outcome.status is MessageStatus.REJECTED else 0

    def reject_limit_error(self, *, final: bool = False) -> TooManyRejectsError | None:
        """Return an error if more records were rejected so far than `max_rejects` allows.

        Args:
            final: Whether all records are counted. Before that, a share is compared only once enough records are.
        """
        rejected = sum(
            count
            for outcomes in self.outcomes.values()
            for outcome, count in outcomes.items()
            if outcome.startswith(MessageStatus.REJECTED)
        )
        counted = self.received.total() - self.messages_new + self.sent.total()
        return self.reject_limit.error(rejected + self._rejected_in_sending, counted, final=final)

    def check_reject_limit(self) -> None:
        """Compare the rejects of all records counted so far with `max_rejects`.

        Raises:
            TooManyRejectsError: There are more rejects than allowed.
        """
        if error := self.reject_limit_error(final=True):
            raise error

    def add_outcomes_of_new_messages(self, counts: Mapping[tuple[str, str | None], int]) -> None:
        """Count the messages that this run added to the ledger, and check that every record has one outcome.

        Args:
            counts: Number of messages by status and reason.

        Raises:
            OutcomesError: The number of outcomes differs from the number of records.
        """
        for (status, reason), count in counts.items():
            self.outcomes[Role.MESSAGES][_outcome(status, reason)] += count
        for role, received in self.received.items():
            if self.outcomes[role].total() != received:
                raise OutcomesError(f"{received:,} {role} records have {self.outcomes[role].total():,} outcomes")

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return the outcomes by role, for the store."""
        return {role: dict(sorted((+outcomes).items())) for role, outcomes in sorted(self.outcomes.items())}

    def profile_changes(self) -> dict[str, Any]:
        """Return the changes of profiles, for the store."""
        return {
            "created": self.changes.profiles_created,
            "merged": self.changes.profiles_merged,
            "net": self.changes.profiles_added,
            "net_anonymous": self.changes.anonymous,
            "net_identified": self.changes.identified,
            "joins": dict(sorted(self.changes.merges.items())),
            "doubts": dict(sorted(self.changes.rejections.items())),
        }

    def warnings(self) -> Iterator[str]:
        """Return warnings about identifiers that this run found to be shared, without personal data."""
        for reason, (kind, setting) in _SHARED.items():
            if count := self.changes.rejections[reason]:
                yield (
                    f"{kind} that are claimed together with more identifiers than {setting} allows: {count:,}. "
                    "From now on they identify nobody. To list them: `target-line-admin shared`"
                )

    def lines(self) -> Iterator[str]:
        """Return the report as log lines without personal data."""
        for role, received in sorted(self.received.items()):
            yield f"{role}: {received:,} records: {_listed((+self.outcomes[role]).items())}"
        if self.notices:
            yield f"identifiers removed from records that were taken in: {_listed(self.notices.items())}"
        if any(role is not Role.MESSAGES for role in self.received):
            changes = self.changes
            yield (
                f"changes of profiles: {changes.profiles_created:,} created, {changes.profiles_merged:,} merged, "
                f"net change {changes.profiles_added:+,} "
                f"(anonymous {changes.anonymous:+,}, identified {changes.identified:+,})"
            )
            yield f"merges and moved identifiers: {_listed(changes.merges.items())}"
            if changes.rejections:
                yield f"rejected identifier claims: {_listed(changes.rejections.items())}"
        if self.sent:
            yield f"sending, including messages of earlier runs: {_listed(self.sent.items())}"
        rejected = (
            outcome.startswith(MessageStatus.REJECTED) for counts in self.outcomes.values() for outcome in counts
        )
        if self.notices or any(rejected):
            yield "to list the rejected records with their reasons: `target-line-admin rejects`"


_SHARED = {
    RejectionReason.SHARED_EMAIL: ("emails", "max_people_per_email"),
    RejectionReason.SHARED_LINE_ID: ("LINE IDs", "max_people_per_line_id"),
    RejectionReason.SHARED_ID: ("ids", "max_identifiers_per_id"),
}


def _outcome(status: str, reason: str | None) -> str:
    return f"{status} ({reason})" if reason else str(status)


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts)) or "none"
