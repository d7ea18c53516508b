"""Parse a `messages` record: recipient, content, times and options."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from target_line.identity.identifiers import storable
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.json_columns import decode_json_column
from target_line.sending.read.recipients import parse_recipient
from target_line.sending.templates.values import WrittenNumber

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from target_line.sending.read.recipients import Recipient

MAX_MESSAGE_ID_LENGTH = 255
MAX_MESSAGE_OBJECTS = 5
"""LINE's limit for one request."""
MessageObjects = list[dict[str, Any]]

_AGGREGATION_UNIT = re.compile("[a-zA-Z0-9_]{1,30}")


class Message(msgspec.Struct, frozen=True, gc=False):
    """A parsed `messages` record."""

    message_id: str
    recipient: Recipient
    content: MessageObjects
    """1 to 5 LINE message objects. Their texts may be Liquid templates."""
    variables: dict[str, Any]
    """Values for the templates."""
    notification_disabled: bool
    campaign: str | None
    """Custom aggregation unit."""
    send_at: datetime | None
    expires_at: datetime | None
    created_at: datetime | None

    def content_key(self) -> str:
        """Return a key that is equal for messages with equal content, variables and options.

        Messages with equal keys differ at most where a template uses the recipient's profile.
        """
        parts = [self.content, self.variables, self.notification_disabled, self.campaign]
        return _digest(json.dumps(parts, separators=(",", ":")))


@lru_cache(maxsize=100)
def _digest(content: str) -> str:
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def parse_message(record: Mapping[str, Any], provider: str, time_zone: tzinfo = UTC) -> Message:
    """Parse a `messages` record.

    Args:
        record: Required: `message_id`, one recipient (see `parse_recipient`), and either `messages` (one LINE message
            object, a list of 1 to 5, or their JSON text) or `text`. Optional: `variables` (an object, or its JSON
            text), `send_at`, `expires_at` and `created_at` (ISO 8601), `campaign`, `notification_disabled`.
        provider: Provider that issued the LINE ID.
        time_zone: Time zone of times without an offset.

    Raises:
        RejectedRecordError: A required column is missing, or a value is malformed.
    """
    return Message(
        message_id=_parse_message_id(record.get("message_id")),
        recipient=parse_recipient(record, provider),
        content=_parse_content(record),
        variables=_parse_variables(record.get("variables")),
        notification_disabled=_parse_notification_disabled(record.get("notification_disabled")),
        campaign=_parse_campaign(record.get("campaign")),
        send_at=_parse_time(record, "send_at", time_zone),
        expires_at=_parse_time(record, "expires_at", time_zone),
        created_at=_parse_time(record, "created_at", time_zone),
    )


def _parse_message_id(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not text:
        raise RejectedRecordError(Reason.NO_MESSAGE_ID, f"message_id {value!r} is neither text nor a whole number")
    return storable(text, Reason.NO_MESSAGE_ID, MAX_MESSAGE_ID_LENGTH)


def _parse_content(record: Mapping[str, Any]) -> MessageObjects:
    text = record.get("text")
    messages = decode_json_column(record.get("messages"), "messages")
    if (text in (None, "")) == (messages is None):
        found = "both" if messages is not None else "neither"
        raise RejectedRecordError(Reason.NO_CONTENT, f"exactly one of messages and text is required, found {found}")
    if messages is None:
        if not isinstance(text, str):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, "text: not text")
        return [{"type": "text", "text": text}]
    objects = messages if isinstance(messages, list) else [messages]
    if not 1 <= len(objects) <= MAX_MESSAGE_OBJECTS:
        raise RejectedRecordError(
            Reason.INVALID_MESSAGE, f"messages: {len(objects)} objects, LINE accepts 1 to {MAX_MESSAGE_OBJECTS}"
        )
    for number, item in enumerate(objects):
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, f"messages[{number}]: not an object with a type")
    return objects


def _parse_variables(value: object) -> dict[str, Any]:
    variables = decode_json_column(value, "variables", parse_number=WrittenNumber)
    if variables is None:
        return {}
    if not isinstance(variables, dict):
        raise RejectedRecordError(Reason.INVALID_MESSAGE, "variables: not an object")
    return variables


def _parse_notification_disabled(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise RejectedRecordError(Reason.INVALID_MESSAGE, f"notification_disabled: {value!r} is not true or false")


def _parse_campaign(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _AGGREGATION_UNIT.fullmatch(value):
        raise RejectedRecordError(
            Reason.INVALID_CAMPAIGN, f"campaign {value!r} is not 1 to 30 of the characters a-z, A-Z, 0-9 and _"
        )
    return value


def _parse_time(record: Mapping[str, Any], column: str, zone: tzinfo) -> datetime | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        # When the clocks change: a local time that does not exist is moved forward; of one that exists twice, the
        # first is used (fold=0).
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise RejectedRecordError(
            Reason.INVALID_TIMESTAMP, f"{column} {value!r} is not an ISO 8601 date-time"
        ) from None
