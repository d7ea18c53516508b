"""Parse a `messages` record: recipient, content, times and options."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from target_line.identity.identifiers import IdentifierReader, storable, whole_number
from target_line.intake.times import read_end, read_time
from target_line.reasons import Reason, RejectedRecordError, shown
from target_line.sending.read.json_columns import decode_json_column
from target_line.sending.read.recipients import parse_recipient
from target_line.sending.templates.values import WrittenNumber

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from target_line.sending.read.recipients import Recipient

MAX_MESSAGE_ID_LENGTH = 255
MAX_MESSAGE_OBJECTS = 5
"""LINE's limit for one request."""
MessageObjects = list[dict[str, Any]]

MESSAGE_COLUMNS = frozenset(
    {
        *("message_id", "id", "email", "line_id", "group_id", "room_id", "recipient", "messages", "text", "variables"),
        *("notification_disabled", "campaign", "send_at", "expires_at", "created_at", "cancelled", "priority"),
        "transactional",
    }
)
"""Columns of a `messages` record. Others are ignored."""

_YES = frozenset({"true", "t", "yes", "y", "on", "1"})
_NO = frozenset({"false", "f", "no", "n", "off", "0"})
MAX_PRIORITY = 1_000_000
_WHOLE_NUMBER = re.compile("[-+]?[0-9]{1,9}")
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
    priority: int = 0
    """Messages with a higher priority are sent first."""
    is_transactional: bool = False
    """Whether it is sent before all others, and in spite of frequency caps."""

    @property
    def send_order(self) -> int:
        """Messages with a smaller number are sent first."""
        return -MAX_PRIORITY - 1 if self.is_transactional else -self.priority

    def content_key(self) -> str:
        """Return a key that is equal for messages with equal content, variables and options.

        Messages with equal keys differ at most where a template uses the recipient's profile.
        """
        parts = [self.content, self.variables, self.notification_disabled, self.campaign]
        return _digest(json.dumps(parts, separators=(",", ":")))

    def source_key(self) -> str:
        """Return a key that is equal for messages with equal templates and options, whatever their variables are."""
        parts = [self.content, self.notification_disabled, self.campaign]
        return _digest(json.dumps(parts, separators=(",", ":")))


@lru_cache(maxsize=100)
def _digest(content: str) -> str:
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def parse_message(record: Mapping[str, Any], identifiers: IdentifierReader | str, time_zone: tzinfo = UTC) -> Message:
    """Parse a `messages` record.

    Args:
        record: Required: `message_id`, one recipient (see `parse_recipient`), and either `messages` (one LINE message
            object, a list of 1 to 5, or their JSON text) or `text`. Optional: `variables` (an object, or its JSON
            text), `send_at`, `expires_at` and `created_at` (see `target_line.intake.times`), `campaign`,
            `notification_disabled`, `priority` (a whole number), `transactional`.
        identifiers: Reads the identifiers of recipients; or the provider that issued the LINE IDs.
        time_zone: Time zone of times without an offset.

    Raises:
        RejectedRecordError: A required column is missing, or a value is malformed.
    """
    reader = IdentifierReader(identifiers) if isinstance(identifiers, str) else identifiers
    return Message(
        message_id=parse_message_id(record.get("message_id")),
        recipient=parse_recipient(record, reader),
        content=_parse_content(record),
        variables=_parse_variables(record.get("variables")),
        notification_disabled=parse_yes_or_no(record.get("notification_disabled"), "notification_disabled"),
        campaign=parse_campaign(record.get("campaign")),
        send_at=read_time(record.get("send_at"), "send_at", time_zone),
        expires_at=read_end(record.get("expires_at"), "expires_at", time_zone),
        created_at=read_time(record.get("created_at"), "created_at", time_zone),
        priority=_parse_priority(record.get("priority")),
        is_transactional=parse_yes_or_no(record.get("transactional"), "transactional"),
    )


def parse_message_id(value: object) -> str:
    """Return the idempotency key of a record.

    Raises:
        RejectedRecordError: The value is neither text nor a whole number that is exact.
    """
    number = whole_number(value)
    text = value.strip() if isinstance(value, str) else "" if number is None else str(number)
    if not text:
        detail = f"message_id {shown(value)} is neither text nor a whole number that is exact"
        raise RejectedRecordError(Reason.NO_MESSAGE_ID, detail, "message_id")
    return storable(text, Reason.NO_MESSAGE_ID, MAX_MESSAGE_ID_LENGTH, "message_id")


def _parse_content(record: Mapping[str, Any]) -> MessageObjects:
    text = record.get("text")
    if isinstance(text, str) and not text.strip():
        text = None
    messages = decode_json_column(record.get("messages"), "messages")
    if messages == []:
        messages = None
    if (text is None) == (messages is None):
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
    if variables in (None, []):  # programs without a type for objects write an empty one as a list
        return {}
    if not isinstance(variables, dict):
        raise RejectedRecordError(Reason.INVALID_MESSAGE, "variables: not an object")
    return variables


def _parse_priority(value: object) -> int:
    number = int(value) if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()) else whole_number(value)
    if value is None or value == "":
        return 0
    if number is None or abs(number) > MAX_PRIORITY:
        detail = f"priority: {shown(value)} is not a whole number from -{MAX_PRIORITY} to {MAX_PRIORITY}"
        raise RejectedRecordError(Reason.INVALID_MESSAGE, detail, "priority")
    return number


def parse_yes_or_no(value: object, column: str) -> bool:
    """Return a boolean, as databases without booleans write it too. A missing value is false.

    Raises:
        RejectedRecordError: The value is no boolean.
    """
    text = value.strip().casefold() if isinstance(value, str) else ""
    if value in (None, False, 0) or (isinstance(value, str) and (not text or text in _NO)):
        return False
    if value in (True, 1) or text in _YES:
        return True
    raise RejectedRecordError(Reason.INVALID_MESSAGE, f"{column}: {shown(value)} is not true or false", column)


def parse_campaign(value: object) -> str | None:
    """Return the custom aggregation unit, None if there is none.

    Raises:
        RejectedRecordError: LINE would not accept it.
    """
    number = whole_number(value)
    text = str(number) if number is not None else value.strip() if isinstance(value, str) else value
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not _AGGREGATION_UNIT.fullmatch(text):
        detail = f"campaign {shown(value)} is not 1 to 30 of the characters a-z, A-Z, 0-9 and _"
        raise RejectedRecordError(Reason.INVALID_CAMPAIGN, detail, "campaign")
    return text
