"""Read due messages and decide about them with the current identity data."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.account import UNITS_PER_MONTH
from target_line.sending.decide.content import ContentRenderer
from target_line.sending.decide.decisions import DecidedMessage, Invalid, LineUser, Send
from target_line.sending.decide.rules import decide_message, has_unreadable_time_zone, reject_shared
from target_line.sending.ledger import Cursor
from target_line.sending.read.message import Message, parse_message
from target_line.sending.read.recipients import ChatRecipient, PersonRecipient
from target_line.unexpected import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_line.identity.repository import IdentityRepository, Recipients
    from target_line.sending.account import MonthlyUnits
    from target_line.sending.decide.approved import ApprovedSends
    from target_line.sending.decide.decisions import Decision
    from target_line.sending.ledger import DueMessage, Ledger
    from target_line.sending.policy import SendingPolicy


_logger = logging.getLogger("target-line.sending")

PAGE_SIZE = 5000
"""Messages that are read and decided together."""


@dataclass(frozen=True, slots=True)
class DuePage:
    """Consecutive due messages in ledger order, decided."""

    messages: list[DecidedMessage]
    is_last: bool
    """Whether no due messages follow."""
    decided_at: datetime

    def after(self, carried_over: list[DecidedMessage]) -> DuePage:
        """Return the page with the messages that the previous page carried over in front."""
        return DuePage(carried_over + self.messages, self.is_last, self.decided_at)


class MessageDecider:
    """Decides about due messages: looks up the recipients' profiles, then applies the rules."""

    def __init__(self, identity: IdentityRepository, policy: SendingPolicy, units: MonthlyUnits) -> None:
        """Store the dependencies.

        Args:
            identity: Profiles by identifier.
            policy: Sending settings.
            units: Custom aggregation units that this month still accepts.
        """
        self._identity = identity
        self._policy = policy
        self._units = units
        self._render = ContentRenderer(rejects_unknown_types=policy.rejects_unknown_types)
        self._unreadable_time_zones: set[str] = set()

    def decide(self, due: Sequence[DueMessage], *, when_due: bool = False) -> list[DecidedMessage]:
        """Decide about each message. Frequency caps are applied later, by `PagePlanner`.

        Args:
            due: The messages.
            when_due: Whether to decide as of the time at which a message will be due, and as if no hours were quiet.
        """
        now = datetime.now(UTC)
        policy = replace(self._policy, quiet_hours=None) if when_due else self._policy
        messages = [self._parse(item) for item in due]
        identifiers = {
            message.recipient.identifier
            for message in messages
            if isinstance(message, Message) and isinstance(message.recipient, PersonRecipient)
        }
        found = self._identity.find_recipients(identifiers)
        return [
            DecidedMessage(
                item,
                self._decide_guarded(
                    message, found, policy, max(now, item.due_at or now) if when_due else now, item.staged_at
                )
                if isinstance(message, Message)
                else message,
            )
            for message, item in zip(messages, due, strict=True)
        ]

    def log_warnings(self) -> None:
        """Log the numbers of messages with an unreadable time zone, and with content of an unknown type."""
        if unknown := self._render.messages_of_unknown_type:
            _logger.warning(
                "%s messages, for example %s, have content of a type that this version does not know. LINE checks it. "
                "To reject such messages, set unknown_message_types to reject",
                f"{len(unknown):,}",
                min(unknown),
            )
        if self._unreadable_time_zones:
            _logger.warning(
                "The attribute %s of the recipients of %s messages is not a time zone such as Asia/Tokyo or +09:00 "
                "(one is the recipient of message %s). Their quiet hours end when they have ended in time_zone and in "
                "every time zone that the value may mean, and templates print dates in time_zone",
                self._policy.time_zone_attribute,
                f"{len(self._unreadable_time_zones):,}",
                min(self._unreadable_time_zones),
            )

    def _parse(self, item: DueMessage) -> Message | Invalid:
        try:
            return parse_message(item.record, self._policy.provider, self._policy.time_zone)
        except RejectedRecordError as error:  # it was staged with other settings, or by another version
            return Invalid(error.reason, error.detail)
        except Exception as error:  # noqa: BLE001 - as in `_decide_guarded`
            return _unexpected(error)

    def _decide_guarded(
        self, message: Message, found: Recipients, policy: SendingPolicy, now: datetime, staged_at: datetime
    ) -> Decision:
        """Decide about a message. An unexpected error rejects this message, and the others are decided."""
        try:
            return self._decide(message, found, policy, now, staged_at)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one message must not end the run
            return _unexpected(error)

    def _decide(
        self, message: Message, found: Recipients, policy: SendingPolicy, now: datetime, staged_at: datetime
    ) -> Decision:
        recipient = message.recipient
        identifier = recipient.identifier if isinstance(recipient, PersonRecipient) else None
        if identifier and identifier in found.shared:
            return reject_shared(identifier)
        profile = found.profiles.get(identifier) if identifier else None
        if has_unreadable_time_zone(profile, self._policy):
            self._unreadable_time_zones.add(message.message_id)
        decision = decide_message(message, profile, policy, render=self._render, now=now, staged_at=staged_at)
        has_unit = isinstance(decision, Send) and isinstance(decision.to, LineUser | ChatRecipient)
        if has_unit and message.campaign and not self._units.reserve(message.campaign):
            detail = f"campaign {message.campaign} would be unit {UNITS_PER_MONTH + 1:,} of this month"
            return Invalid(Reason.TOO_MANY_CAMPAIGNS, f"{detail}; LINE would send it without counting opens and clicks")
        return decision


def _unexpected(error: Exception) -> Invalid:
    """Log an unexpected error, and return the rejection of the message that caused it."""
    _logger.warning("A message was rejected: %s", place_of(error))
    return Invalid(Reason.INVALID_MESSAGE, f"the message cannot be processed ({type(error).__name__})")


class DueMessages:
    """The due messages of a channel, read from the ledger and decided page by page."""

    def __init__(self, ledger: Ledger, decider: MessageDecider, approved: ApprovedSends | None = None) -> None:
        """Store the dependencies.

        Args:
            ledger: The channel's messages.
            decider: Decides about them.
            approved: Messages that may be sent; None for all. Others stay scheduled.
        """
        self._ledger = ledger
        self._decider = decider
        self._approved = approved
        self._lock = threading.Lock()

    def only(self, approved: ApprovedSends) -> DueMessages:
        """Return the due messages that an approved plan sends as they are now, and those that are not sent."""
        return DueMessages(self._ledger, self._decider, approved)

    def pages(self) -> Iterator[DuePage]:
        """Yield all due messages. Each page is read when the caller requests it; the last one may be empty."""
        after: Cursor | None = Cursor()
        while after is not None:
            due = self._ledger.read_due(after, PAGE_SIZE)
            after = due[-1].cursor if len(due) == PAGE_SIZE else None
            yield self._decide(due, is_last=after is None)

    def later_pages(self) -> Iterator[DuePage]:
        """Yield the scheduled messages that are not due yet, with decisions as of the time at which they will be."""
        after: Cursor | None = Cursor()
        while after is not None:
            later = self._ledger.read_later(after, PAGE_SIZE)
            after = later[-1].cursor if len(later) == PAGE_SIZE else None
            yield self.decide_when_due(later, is_last=after is None)

    def decide_when_due(self, later: Sequence[DueMessage], *, is_last: bool = True) -> DuePage:
        """Return messages with decisions as of the time at which they will be due."""
        with self._lock:
            return DuePage(self._decider.decide(later, when_due=True), is_last, datetime.now(UTC))

    def decide_again(self, page: DuePage) -> DuePage:
        """Return the page with new decisions. Between page and claim, time passes and identity data can change."""
        return self._decide([item.due for item in page.messages], is_last=page.is_last)

    def decide_claimed(self, retry_keys: Sequence[str]) -> dict[str, DuePage]:
        """Return the messages of claimed requests with new decisions, as a page for each request, by retry key."""
        claimed = self._ledger.read_claimed(retry_keys)
        key_of = {due.message_id: key for key, due in claimed}
        decided = self._decide([due for _, due in claimed], is_last=True)
        pages = {key: replace(decided, messages=[]) for key in retry_keys}
        for item in decided.messages:
            pages[key_of[item.due.message_id]].messages.append(item)
        return pages

    def _decide(self, due: Sequence[DueMessage], *, is_last: bool) -> DuePage:
        now = datetime.now(UTC)
        with self._lock:  # pages are decided in one thread, and requests that wait in another
            decided = self._decider.decide(due)
        if self._approved is not None:
            decided = [item for item in decided if self._may_be_handled(item, self._approved)]
        return DuePage(decided, is_last, now)

    @staticmethod
    def _may_be_handled(item: DecidedMessage, approved: ApprovedSends) -> bool:
        return not isinstance(item.decision, Send) or approved.contains(item.due.message_id, item.decision)

    def log_warnings(self) -> None:
        """Log what was noticed while the messages were decided."""
        self._decider.log_warnings()

    def count(self) -> int:
        """Return the number of messages that are due now."""
        return self._ledger.count_due()
