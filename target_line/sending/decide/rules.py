"""From a message and the profile it is for to what is to be sent, or to a reason why nothing is: pure rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from line_core.follow_state import FollowState
from line_core.identity.model import IdentifierKind
from line_core.identity.policy import opts_out
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.recipients import Chat, Everyone, Person, Selection

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from line_core.identity.model import LineAccount, Profile
    from target_line.sending.policy import SendingPolicy
    from target_line.sending.read.message import Message
    from target_line.sending.read.recipients import Recipient


@dataclass(frozen=True, slots=True)
class User:
    """A LINE ID to send to."""

    line_id: str


Addressee = User | Chat | Everyone | Selection


@dataclass(frozen=True, slots=True)
class Send:
    """To be sent now."""

    to: Addressee
    content: str
    """The request's body but for whom it goes to, as JSON members: `"messages":[…],…`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing is sent, for this reason."""

    reason: Reason
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """Nothing is sent yet."""

    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Invalid:
    """The message cannot be sent as it is."""

    reason: Reason
    detail: str


Decision = Send | Skipped | Postponed | Invalid
Write = Callable[["Message", "Profile | None", bool], str]


def compose(  # noqa: PLR0913 - what the decision depends on, by name
    message: Message,
    profile: Profile | None,
    policy: SendingPolicy,
    *,
    write: Write,
    now: datetime,
    staged_at: datetime,
) -> Decision:
    """Decide about one due message.

    Args:
        message: What is asked for.
        profile: The profile that its recipient names, if any is known.
        policy: What holds for all messages.
        write: Writes the content; told the message, the profile, and whether LINE takes a unit with it.
        now: The time to judge by.
        staged_at: When the message was taken in.
    """
    if _is_too_old(message, policy, now, staged_at):
        return Skipped(Reason.EXPIRED)
    addressee = _addressee(message.recipient, profile, policy)
    if isinstance(addressee, Skipped | Invalid):
        return addressee
    if policy.quiet_hours and (until := policy.quiet_hours.end_after(now, _zone_of(profile, policy))):
        return Postponed(Reason.QUIET_HOURS, until)
    try:
        # LINE knows units of pushes and multicasts only.
        return Send(addressee, write(message, profile, isinstance(addressee, User | Chat)))
    except RejectedRecordError as error:
        return Invalid(error.reason, error.detail)


def _is_too_old(message: Message, policy: SendingPolicy, now: datetime, staged_at: datetime) -> bool:
    if message.expires_at is not None and message.expires_at <= now:
        return True
    if policy.max_message_age is None:
        return False
    return (message.send_at or message.created_at or staged_at) + policy.max_message_age < now


def _addressee(recipient: Recipient, profile: Profile | None, policy: SendingPolicy) -> Addressee | Skipped | Invalid:
    if not isinstance(recipient, Person):
        return recipient
    named = recipient.identifier
    if profile is None:
        # Nothing is known of a LINE ID like that, so nothing speaks against it.
        return User(named.value) if named.kind is IdentifierKind.LINE_ID else Skipped(Reason.UNKNOWN_RECIPIENT)
    if profile.is_contested and named.kind is not IdentifierKind.LINE_ID:
        return Invalid(Reason.AMBIGUOUS_IDENTITY, f"profiles with different ids claim the {named.kind}")
    account = profile.canonical.get(policy.provider)
    if account is None:
        return Skipped(Reason.NO_LINE_ID)
    reason = _reason_against(account, profile, policy)
    return Skipped(reason, account.line_id) if reason else User(account.line_id)


def _reason_against(account: LineAccount, profile: Profile, policy: SendingPolicy) -> Reason | None:
    if account.follow_state is FollowState.UNFOLLOWED:
        return Reason.UNFOLLOWED
    if any(opts_out(profile.attributes.get(name)) for name in policy.suppression_attributes):
        return Reason.SUPPRESSED
    return None


def _zone_of(profile: Profile | None, policy: SendingPolicy) -> tzinfo:
    named = profile.attributes.get(policy.time_zone_attribute) if profile else None
    return (_zone(named) if isinstance(named, str) else None) or policy.time_zone


@lru_cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None
