"""Reason codes of rejected records and of messages that are not sent. docs/sending.md is generated from them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from line_core.identity.model import RefusedOptOut


class Reason(StrEnum):
    """A reason code with its description for the documentation."""

    description: str

    def __new__(cls, code: str, description: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    @classmethod
    def of(cls, code: str) -> Self:
        """Return the reason with a code."""
        return cls(code)  # type: ignore[call-arg] # a lookup by value

    INVALID_RECORD = "invalid_record", "The record is not valid by the schema that the tap declared."
    NOT_MAPPED = (
        "not_mapped",
        "The stream maps could not be applied. The record is kept as the tap wrote it, and is not replayed.",
    )
    NO_IDENTIFIER = "no_identifier", "A profile record has none of id, email and line_id."
    INVALID_ID = "invalid_id", "The id is neither text nor a whole number that is exact (floats below 2^53)."
    INVALID_EMAIL = "invalid_email", "The email is not of the form name@domain."
    INVALID_LINE_ID = "invalid_line_id", "The LINE ID is not U and 32 hexadecimal digits."
    INVALID_TIMESTAMP = (
        "invalid_timestamp",
        "A time is neither ISO 8601 nor an epoch number, or after max_future_time, or expires_at is not after send_at.",
    )
    INVALID_ATTRIBUTES = (
        "invalid_attributes",
        "The column attributes is neither an object nor the JSON text of an object, or an attribute cannot be stored.",
    )
    INVALID_FOLLOW_STATE = "invalid_follow_state", "The follow state of the record is missing or unknown."
    NO_MESSAGE_ID = "no_message_id", "A message record has no message_id. Without it, the message could be sent twice."
    NO_RECIPIENT = (
        "no_recipient",
        "A message record must have exactly one recipient: line_id, id, email, group_id, room_id or recipient.",
    )
    INVALID_CAMPAIGN = "invalid_campaign", "The campaign is not 1 to 30 of the characters a-z, A-Z, 0-9 and _."
    NO_CONTENT = "no_content", "A message record must have exactly one of messages and text."
    INVALID_MESSAGE = "invalid_message", "LINE would reject the content. The detail names the property."
    JUNK_IDENTIFIER = "junk_identifier", "The identifier is a placeholder (junk_identifiers), which identifies nobody."
    AMBIGUOUS_IDENTITY = (
        "ambiguous_identity",
        "Different people claim the identifier, and identifier_conflict is reject. It belongs to none of them.",
    )
    TOO_MANY_LINE_IDS = (
        "too_many_line_ids",
        "The profile would have more LINE IDs than max_line_ids_per_profile. The LINE ID stays a separate profile.",
    )
    SHARED_EMAIL = "shared_email", "More people claim the email than max_people_per_email allows. It identifies nobody."
    SHARED_LINE_ID = (
        "shared_line_id",
        "More people claim the LINE ID than max_people_per_line_id allows. It identifies nobody.",
    )
    SHARED_ID = (
        "shared_id",
        "The id is claimed with more emails and LINE IDs than max_identifiers_per_id allows. It identifies nobody.",
    )
    FORGOTTEN = (
        "forgotten",
        "The person was erased on request, so the record is not stored. Another person's record loses the identifier.",
    )
    TEMPLATE_ERROR = (
        "template_error",
        "A template is malformed or exceeds a limit, or prints a value that is missing, null, an object or a list.",
    )
    REFUSED_BY_LINE = "refused_by_line", "LINE rejected the request. The detail contains LINE's error message."
    NARROWCAST_FAILED = (
        "narrowcast_failed",
        "LINE accepted the narrowcast and failed later. The detail contains LINE's reason.",
    )
    UNKNOWN_RECIPIENT = "unknown_recipient", "No profile has the identifier of the recipient."
    NO_LINE_ID = "no_line_id", "The profile has no LINE ID of this provider."
    UNFOLLOWED = "unfollowed", "The person has blocked or left the channel."
    SUPPRESSED = "suppressed", "An attribute of suppression_attributes is true for the person."
    EXPIRED = "expired", "expires_at or max_message_age passed before the message was sent."
    FREQUENCY_CAP = "frequency_cap", "The person has already got as many messages as frequency_cap allows."
    QUIET_HOURS = (
        "quiet_hours",
        "It is quiet_hours in the time zone of the person. The message is postponed until they end.",
    )
    SET_ASIDE = (
        "set_aside",
        "LINE answered 429 for this message and accepted others. It is tried again later, for a day at most.",
    )
    TEST_RECIPIENTS = (
        "test_recipients",
        "The message was sent to test_recipients in place of its recipient, or skipped as it is no sample.",
    )
    ONCE_PER_CAMPAIGN = "once_per_campaign", "The person has got, or may have got, another message of the campaign."
    CANCELLED = "cancelled", "The message was withdrawn before it was sent. This is final for its message_id."
    ALREADY_SENT = "already_sent", "A cancellation came after the message had been sent, or while it was being sent."
    ALREADY_SENT_DIFFERENTLY = (
        "already_sent_differently",
        "A message with this message_id is sent already, with other content, recipient or times (see the detail).",
    )
    ALREADY_SCHEDULED = (
        "already_scheduled",
        "The message is scheduled with other content, recipient or times, and replace_scheduled is false.",
    )
    TOO_MANY_CAMPAIGNS = (
        "too_many_campaigns",
        "LINE accepts 1,000 aggregation unit names per month. It would send a further campaign without statistics.",
    )
    RETRY_KEY_EXPIRED = (
        "retry_key_expired",
        "It is unknown whether LINE accepted the message, and its retry key has expired. It is not sent again.",
    )


class RejectedRecordError(Exception):
    """The record is rejected."""

    def __init__(self, reason: Reason, detail: str, column: str | None = None) -> None:
        """Create the error.

        Args:
            reason: The reason code.
            detail: Text that may contain values of the record. It is stored with the reject and must not be logged.
            column: Name of the column that is invalid, if it is one. It may be logged.
        """
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = _storable(detail)
        self.column = column
        self.opt_out: RefusedOptOut | None = None
        """The opt-out of the record, which counts although the record is rejected."""


_MAX_DETAIL_LENGTH = 2_000


def _storable(text: str) -> str:
    """Return a text that every store can contain: of limited length, without lone surrogates and U+0000."""
    return text[:_MAX_DETAIL_LENGTH].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


_MAX_SHOWN_CHARACTERS = 100
_MAX_SHOWN_BITS = 256


def shown(value: object) -> str:
    """Return a short text of any value for the detail of a reject. Never raises."""
    match value:
        case str():
            return repr(value if len(value) <= _MAX_SHOWN_CHARACTERS else value[:_MAX_SHOWN_CHARACTERS] + "…")
        case dict():
            return "(an object)"
        case list():
            return "(a list)"
        case int() if value.bit_length() > _MAX_SHOWN_BITS:  # Python refuses to write numbers of many digits
            return "(a very large number)"
        case _:
            return repr(value)
