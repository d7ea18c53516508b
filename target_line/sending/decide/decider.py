"""Decides about due messages: looks up whom they are for, then goes by the rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.account import UNITS_A_MONTH
from target_line.sending.decide.content import ContentWriter
from target_line.sending.decide.rules import Invalid, Send, Skipped, User, compose
from target_line.sending.ledger import Cursor
from target_line.sending.read.message import Message, parse_message
from target_line.sending.read.recipients import Chat, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import Identifier, Profile
    from target_line.identity.repository import IdentityRepository
    from target_line.sending.account import Units
    from target_line.sending.decide.rules import Decision
    from target_line.sending.ledger import Due, Ledger
    from target_line.sending.policy import SendingPolicy


PAGE = 5000
"""Messages."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A due message, and what is to be done with it as far as the ledger's other messages allow."""

    due: Due
    decision: Decision


@dataclass(frozen=True, slots=True)
class Page:
    """The next due messages, in the order of their places."""

    messages: list[Decided]
    is_last: bool
    decided_at: datetime


class Decider:
    """Says what to do with due messages, as identity and ledger are now."""

    def __init__(self, identity: IdentityRepository, policy: SendingPolicy, channel: str, units: Units) -> None:
        """Prepare.

        Args:
            identity: Who is who.
            policy: What holds for all messages.
            channel: Name of the channel that sends.
            units: Which custom aggregation units may be used.
        """
        self._identity = identity
        self._policy = policy
        self._channel = channel
        self._units = units
        self._write = ContentWriter()

    def pages(self, ledger: Ledger) -> Iterator[Page]:
        """All that is due, page by page, each read when it is asked for."""
        after: Cursor | None = Cursor()
        while after is not None:
            due = ledger.due(after, PAGE)
            after = due[-1].cursor if len(due) == PAGE else None
            yield Page(self.decide(due), after is None, datetime.now(UTC))

    def decide(self, due: Sequence[Due]) -> list[Decided]:
        """Decide about each of some due messages, but for what the ledger's other messages forbid: see `cap`."""
        now = datetime.now(UTC)
        messages = [self._read(item) for item in due]
        people = {
            message.recipient.identifier
            for message in messages
            if isinstance(message, Message) and isinstance(message.recipient, Person)
        }
        profiles = self._identity.find_profiles(people)
        return [
            Decided(
                item, self._decide(message, profiles, now, item.staged_at) if isinstance(message, Message) else message
            )
            for message, item in zip(messages, due, strict=True)
        ]

    def cap(
        self, connection: Connection, decisions: Sequence[Decision], planned: Mapping[str, int] | None = None
    ) -> Sequence[Decision]:
        """Skip what would be more than a person may get.

        Args:
            connection: A transaction that sees what was claimed before.
            decisions: In their order; the first ones go.
            planned: How many messages each LINE ID is to get besides, though nothing of them is claimed.
        """
        most = self._policy.frequency_cap
        line_ids = {
            decision.to.line_id
            for decision in decisions
            if isinstance(decision, Send) and isinstance(decision.to, User)
        }
        if most is None or not line_ids:
            return decisions
        sent = sent_to(connection, self._channel, line_ids, datetime.now(UTC) - most.per)
        sent.update(planned)
        return cap_decisions(decisions, sent, most.messages)

    def _read(self, item: Due) -> Message | Invalid:
        try:
            return parse_message(item.record, self._policy.provider, self._policy.time_zone)
        except RejectedRecordError as error:  # it was staged under other settings, or by another version
            return Invalid(error.reason, error.detail)

    def _decide(
        self, message: Message, profiles: dict[Identifier, Profile], now: datetime, staged_at: datetime
    ) -> Decision:
        recipient = message.recipient
        profile = profiles.get(recipient.identifier) if isinstance(recipient, Person) else None
        decision = compose(message, profile, self._policy, write=self._write, now=now, staged_at=staged_at)
        counted = isinstance(decision, Send) and isinstance(decision.to, User | Chat)
        if counted and message.campaign and not self._units.admit(message.campaign):
            words = f"campaign {message.campaign} would be the {UNITS_A_MONTH + 1:,}st of this month"
            return Invalid(Reason.TOO_MANY_CAMPAIGNS, f"{words}; LINE would send it and count nothing")
        return decision


def cap_decisions(decisions: Sequence[Decision], sent: Counter[str], most: int) -> list[Decision]:
    """Skip what would be more than a person may get.

    Args:
        decisions: In their order; the first ones go.
        sent: How many messages each LINE ID got already; counted on.
        most: How many a person may get.
    """
    capped: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Send) and isinstance(decision.to, User):
            line_id = decision.to.line_id
            if sent[line_id] >= most:
                capped.append(Skipped(Reason.FREQUENCY_CAP, line_id))
                continue
            sent[line_id] += 1
        capped.append(decision)
    return capped


def sent_to(connection: Connection, channel: str, line_ids: Iterable[str], since: datetime) -> Counter[str]:
    """How many messages each LINE ID was sent, or may have been sent, since a time."""
    messages = tables.messages.c
    query = (
        select(messages.line_id, func.count())
        .where(
            messages.channel == channel,
            in_values(connection, messages.line_id, line_ids),
            messages.status.in_([MessageStatus.CLAIMED, MessageStatus.ACCEPTED, MessageStatus.UNKNOWN]),
            messages.updated_at > since,
        )
        .group_by(messages.line_id)
    )
    return Counter({line_id: count for line_id, count in connection.execute(query) if line_id})
