"""Why a record was refused or a message not sent: every code, in one place."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason code; `description` says it in words for the documentation."""

    description: str

    def __new__(cls, code: str, description: str) -> Self:
        """Make a member from its code and its words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    INVALID_RECORD = "invalid_record", "The record does not fit the schema that its tap declared."
    NO_IDENTIFIER = "no_identifier", "A profile record has none of id, email and line_id."
    INVALID_ID = "invalid_id", "The id is neither text nor a whole number."
    INVALID_EMAIL = "invalid_email", "The email is not of the form name@domain."
    INVALID_LINE_ID = "invalid_line_id", "The LINE ID is not U and 32 hexadecimal digits."
    INVALID_TIMESTAMP = "invalid_timestamp", "A time is not an ISO 8601 date-time."
    INVALID_ATTRIBUTES = "invalid_attributes", "The attributes column is neither an object nor the JSON text of one."
    INVALID_FOLLOW_STATE = "invalid_follow_state", "The follow record names no known follow state."
    NO_MESSAGE_ID = "no_message_id", "A message record has no message_id, so that it could be sent twice."
    NO_RECIPIENT = (
        "no_recipient",
        "A message record must name exactly one recipient: line_id, id, email, group_id, room_id or recipient.",
    )
    INVALID_CAMPAIGN = "invalid_campaign", "The campaign is not 1 to 30 of the characters a-z, A-Z, 0-9 and _."
    NO_CONTENT = "no_content", "A message record must have exactly one of messages and text."
    INVALID_MESSAGE = "invalid_message", "LINE would refuse the content; the detail names the property."
    JUNK_IDENTIFIER = "junk_identifier", "The id or email is one of junk_identifiers, which many strangers share."
    AMBIGUOUS_IDENTITY = (
        "ambiguous_identity",
        "Profiles with different ids claim the identifier, and identifier_conflict gives it to neither.",
    )
    TOO_MANY_LINE_IDS = (
        "too_many_line_ids",
        "The profile would have more LINE IDs than max_line_ids_per_profile; the LINE ID stays on its own.",
    )
    SHARED_EMAIL = "shared_email", "More people than max_people_per_email claim the email; it names nobody."
    FORGOTTEN = "forgotten", "The person was forgotten on request; the record is not kept."
    TEMPLATE_ERROR = (
        "template_error",
        "A template is malformed or names something that neither profile nor variables have.",
    )
    REFUSED_BY_LINE = "refused_by_line", "LINE refused the request; the detail has LINE's own words."
    UNKNOWN_RECIPIENT = "unknown_recipient", "No profile has the identifier that the message names."
    NO_LINE_ID = "no_line_id", "The profile has no LINE ID of this provider."
    UNFOLLOWED = "unfollowed", "The person blocked or left the channel."
    SUPPRESSED = "suppressed", "An attribute of the profile says that the person wants no messages."
    EXPIRED = "expired", "The message's expires_at passed, or max_message_age, before it could be sent."
    FREQUENCY_CAP = "frequency_cap", "The person got as many messages as frequency_cap allows."
    QUIET_HOURS = "quiet_hours", "It is quiet_hours where the person is; the message waits until they end."
    TEST_RECIPIENTS = "test_recipients", "It went to test_recipients instead of whom it is for."
    TOO_MANY_CAMPAIGNS = (
        "too_many_campaigns",
        "LINE takes 1,000 unit names a month, and would send one more campaign without counting it.",
    )
    RETRY_KEY_EXPIRED = (
        "retry_key_expired",
        "Whether LINE accepted it is unknown and the retry key is dead, so it is never sent again by itself.",
    )


class RejectedRecordError(Exception):
    """A record is refused, with a reason code and the details in words."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Say why; the detail may quote the record, and so belongs into the store, not into a log."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
