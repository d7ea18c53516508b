"""Decisions about due messages: send, skip, postpone, or reject as invalid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_line.sending.read.recipients import AllFollowers, ChatRecipient, NarrowcastRecipients

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from target_line.reasons import Reason
    from target_line.sending.decide.content import MessageContent
    from target_line.sending.ledger import DueMessage


@dataclass(frozen=True, slots=True)
class LineUser:
    """A user of LINE, by the LINE ID to send to."""

    line_id: str


Destination = LineUser | ChatRecipient | AllFollowers | NarrowcastRecipients
"""Recipient after identity resolution: a person is replaced by the canonical LINE ID."""


def address_of(destination: Destination) -> str | None:
    """Return the LINE ID or chat id; None for a broadcast or a narrowcast."""
    match destination:
        case LineUser(line_id=address) | ChatRecipient(chat_id=address):
            return address
    return None


@dataclass(frozen=True, slots=True)
class Send:
    """Send the message now."""

    to: Destination
    content: MessageContent
    valid_until: datetime | None = None
    """From this time on the decision is made again: the message expires, or quiet hours begin."""
    is_capped: bool = True
    """Whether `frequency_cap` and `once_per_campaign` apply. Transactional messages only count there."""
    line_ids: tuple[str, ...] = ()
    """All LINE IDs of the person, with `once_per_campaign`."""
    source_key: str = ""
    """The same for messages of the same templates and options, with `test_recipients`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Do not send the message. Final."""

    reason: Reason
    line_id: str | None = None
    """LINE ID of the recipient, if it is known."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """Keep the message scheduled until a later time."""

    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Invalid:
    """Reject the message: it cannot be sent as it is."""

    reason: Reason
    detail: str


def valid_until_of(messages: Iterable[DecidedMessage]) -> datetime | None:
    """Return the earliest time at which a decision to send is made again; None if there is none."""
    sends = (item.decision for item in messages if isinstance(item.decision, Send))
    return min((send.valid_until for send in sends if send.valid_until is not None), default=None)


Decision = Send | Skipped | Postponed | Invalid


@dataclass(frozen=True, slots=True)
class DecidedMessage:
    """A due message and the decision about it."""

    due: DueMessage
    decision: Decision
