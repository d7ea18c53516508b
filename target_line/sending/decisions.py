"""Decides about due messages: looks up whom they are for, then goes by the rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.claims import sent_to
from target_line.sending.compose import Send, Skipped, Unsendable, User, compose
from target_line.sending.content import ContentWriter
from target_line.sending.message import Message, parse_message
from target_line.sending.preflight import UNITS_A_MONTH
from target_line.sending.recipients import Chat, Person

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from line_core.identity.model import Identifier, Profile
    from target_line.identity.repository import IdentityRepository
    from target_line.sending.compose import Decision
    from target_line.sending.ledger import Due
    from target_line.sending.policy import SendingPolicy
    from target_line.sending.preflight import Units


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

    def __call__(self, connection: Connection, due: Sequence[Due]) -> list[Decision]:
        """Decide about each of some due messages.

        Args:
            connection: A transaction that sees what was claimed before.
            due: The messages.
        """
        now = datetime.now(UTC)
        messages = [self._read(item) for item in due]
        people = {
            message.recipient.identifier
            for message in messages
            if isinstance(message, Message) and isinstance(message.recipient, Person)
        }
        profiles = self._identity.resolutions(people)
        decisions = [
            self._decide(message, profiles, now, item.staged_at) if isinstance(message, Message) else message
            for message, item in zip(messages, due, strict=True)
        ]
        return self._capped(connection, decisions, now)

    def _read(self, item: Due) -> Message | Unsendable:
        try:
            return parse_message(item.record, self._policy.provider, self._policy.time_zone)
        except RejectedRecordError as error:  # it was staged under other settings, or by another version
            return Unsendable(error.reason, error.detail)

    def _decide(
        self, message: Message, profiles: dict[Identifier, Profile], now: datetime, staged_at: datetime
    ) -> Decision:
        recipient = message.recipient
        profile = profiles.get(recipient.identifier) if isinstance(recipient, Person) else None
        decision = compose(message, profile, self._policy, write=self._write, now=now, staged_at=staged_at)
        counted = isinstance(decision, Send) and isinstance(decision.to, User | Chat)
        if counted and message.campaign and not self._units.admit(message.campaign):
            words = f"campaign {message.campaign} would be the {UNITS_A_MONTH + 1:,}st of this month"
            return Unsendable(Reason.TOO_MANY_CAMPAIGNS, f"{words}; LINE would send it and count nothing")
        return decision

    def _capped(self, connection: Connection, decisions: list[Decision], now: datetime) -> list[Decision]:
        cap = self._policy.frequency_cap
        line_ids = {
            decision.to.line_id
            for decision in decisions
            if isinstance(decision, Send) and isinstance(decision.to, User)
        }
        if cap is None or not line_ids:
            return decisions
        sent = sent_to(connection, self._channel, line_ids, now - cap.per)
        return cap_decisions(decisions, sent, cap.messages)


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
