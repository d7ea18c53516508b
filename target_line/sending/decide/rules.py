"""Decision about one due message: pure rules, without I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from line_core.consent import consent_of
from line_core.follow_state import FollowState
from line_core.identity.model import IdentifierKind
from line_core.identity.results import SHARED_REASONS
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.decisions import Invalid, LineUser, Postponed, Send, Skipped
from target_line.sending.read.recipients import ChatRecipient, PersonRecipient
from target_line.sending.time_zones import possible_time_zones, read_time_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from line_core.identity.model import Identifier
    from line_core.identity.results import LineAccount, Profile
    from target_line.sending.decide.content import MessageContent
    from target_line.sending.decide.decisions import Decision, Destination
    from target_line.sending.policy import SendingPolicy
    from target_line.sending.read.message import Message
    from target_line.sending.read.recipients import Recipient


_LONG_WAIT = timedelta(days=365)


class RenderContent(Protocol):
    """Renders the content of a message for a profile; see `ContentRenderer`."""

    def __call__(
        self, message: Message, profile: Profile | None, *, with_unit: bool, is_for_chat: bool, local_now: datetime
    ) -> MessageContent: ...


def decide_message(  # noqa: PLR0913 - the inputs of the decision, by name
    message: Message,
    profile: Profile | None,
    policy: SendingPolicy,
    *,
    render: RenderContent,
    now: datetime,
    staged_at: datetime,
) -> Decision:
    """Decide what to do with a due message. Frequency caps are applied later, when the message is planned.

    Args:
        message: The message.
        profile: Profile of its recipient; None if there is none.
        policy: Sending settings.
        render: Renders the content.
        now: Current time.
        staged_at: Time when the message was stored in the ledger.
    """
    if _is_expired(message, policy, now, staged_at):
        return Skipped(Reason.EXPIRED)
    destination = resolve_destination(message.recipient, profile, policy)
    if isinstance(destination, Skipped | Invalid):
        return destination
    zones = _zones_of(profile, policy)
    if policy.quiet_hours and (until := policy.quiet_hours.end_in_all(now, zones)):
        return Postponed(Reason.QUIET_HOURS, until)
    try:
        # LINE accepts aggregation units only in push and multicast requests.
        with_unit = isinstance(destination, LineUser | ChatRecipient)
        content = render(
            message,
            profile,
            with_unit=with_unit,
            is_for_chat=isinstance(destination, ChatRecipient),
            local_now=now.astimezone(zones[0]),
        )
        valid_until = _valid_until(message, policy, now, staged_at, zones)
        return Send(
            destination,
            content,
            valid_until,
            is_capped=not message.is_transactional,
            line_ids=_line_ids_of(profile, policy) if policy.once_per_campaign else (),
            source_key=message.source_key() if policy.test_recipients else "",
        )
    except RejectedRecordError as error:
        return Invalid(error.reason, error.detail)


def _line_ids_of(profile: Profile | None, policy: SendingPolicy) -> tuple[str, ...]:
    accounts = profile.line_accounts if profile else ()
    return tuple(account.line_id for account in accounts if account.provider == policy.provider)


def _is_expired(message: Message, policy: SendingPolicy, now: datetime, staged_at: datetime) -> bool:
    if message.expires_at is not None and message.expires_at <= now:
        return True
    if policy.max_message_age is None:
        return False
    return now - _age_counts_from(message, staged_at) > policy.max_message_age


def _age_counts_from(message: Message, staged_at: datetime) -> datetime:
    return message.send_at or message.created_at or staged_at


def _valid_until(
    message: Message, policy: SendingPolicy, now: datetime, staged_at: datetime, zones: Sequence[tzinfo]
) -> datetime | None:
    """Return when the message expires, or when the recipient's quiet hours begin, if that is earlier."""
    times = [message.expires_at] if message.expires_at else []
    if policy.max_message_age is not None:
        remaining = policy.max_message_age - (now - _age_counts_from(message, staged_at))
        times += [now + remaining] if remaining < _LONG_WAIT else []  # a later time may be out of range
    if policy.quiet_hours:
        times += [policy.quiet_hours.begin_after(now, zone) for zone in zones]
    return min(times, default=None)


def resolve_destination(
    recipient: Recipient, profile: Profile | None, policy: SendingPolicy
) -> Destination | Skipped | Invalid:
    """Return where a message goes, or why it does not."""
    if not isinstance(recipient, PersonRecipient):
        return recipient
    identifier = recipient.identifier
    if profile is None:
        # A LINE ID without a profile can be sent to: no profile data forbids it.
        if identifier.kind is IdentifierKind.LINE_ID:
            return LineUser(identifier.value)
        return Skipped(Reason.UNKNOWN_RECIPIENT)
    if profile.is_contested:
        return Invalid(Reason.AMBIGUOUS_IDENTITY, f"different people claim the {identifier.kind}")
    account = profile.canonical.get(policy.provider)
    if account is None:
        return Skipped(Reason.NO_LINE_ID)
    reason = _skip_reason(account, profile, policy)
    return Skipped(reason, account.line_id) if reason else LineUser(account.line_id)


def _skip_reason(account: LineAccount, profile: Profile, policy: SendingPolicy) -> Reason | None:
    if account.follow_state is FollowState.UNFOLLOWED:
        return Reason.UNFOLLOWED
    if any(consent_of(profile.attributes.get(name)) for name in policy.suppression_attributes):
        return Reason.SUPPRESSED
    return None


def reject_shared(identifier: Identifier) -> Invalid:
    """Return the decision about a message to an identifier that identifies nobody."""
    return Invalid(Reason.of(SHARED_REASONS[identifier.kind]), f"the {identifier.kind} identifies nobody")


def has_unreadable_time_zone(profile: Profile | None, policy: SendingPolicy) -> bool:
    """Return whether the person has a time zone attribute that is no time zone."""
    value = _time_zone_value(profile, policy)
    return value is not None and read_time_zone(value) is None


def _zones_of(profile: Profile | None, policy: SendingPolicy) -> tuple[tzinfo, ...]:
    """Return the time zone of the person; if it cannot be read, the default and all time zones that it may mean."""
    value = _time_zone_value(profile, policy)
    if value is None:
        return (policy.time_zone,)
    zone = read_time_zone(value)
    return (zone,) if zone else (policy.time_zone, *possible_time_zones(value))


def _time_zone_value(profile: Profile | None, policy: SendingPolicy) -> str | None:
    attributes = profile.attributes if profile else {}
    name = policy.time_zone_attribute.casefold()
    # The spelling of the setting comes first; databases such as Snowflake write all names in upper case.
    spellings = (policy.time_zone_attribute, *sorted(each for each in attributes if each.casefold() == name))
    value = next((attributes[each] for each in spellings if attributes.get(each) is not None), None)
    return None if value is None or not str(value).strip() else str(value)
