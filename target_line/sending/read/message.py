"""A `messages` record, read and checked: who, what, when."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from line_core import json_text
from target_line.identity.identifiers import storable
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.recipients import parse_recipient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from target_line.sending.read.recipients import Recipient

MESSAGE_ID_LENGTH = 255
LineMessages = list[dict[str, Any]]

_UNIT = re.compile("[a-zA-Z0-9_]{1,30}")


class Message(msgspec.Struct, frozen=True, gc=False):
    """What one `messages` record asks for."""

    message_id: str
    recipient: Recipient
    content: LineMessages
    """1 to 5 LINE message objects; their texts may hold Liquid."""
    variables: dict[str, Any]
    notification_disabled: bool
    campaign: str | None
    """Custom aggregation unit."""
    send_at: datetime | None
    expires_at: datetime | None
    created_at: datetime | None

    def content_key(self) -> str:
        """The same for messages that are certain to look the same, but for what templates take from the profile."""
        asked = [self.content, self.variables, self.notification_disabled, self.campaign]
        return _digest(json_text.encode(asked))


@lru_cache(maxsize=100)
def _digest(content: str) -> str:
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def parse_message(record: Mapping[str, Any], provider: str, time_zone: tzinfo = UTC) -> Message:
    """Read a `messages` record.

    Args:
        record: `message_id`; one recipient (see `parse_recipient`); one of `messages` (one LINE message object or a
            list of 1 to 5, or their JSON text) and `text`; optionally `variables` (an object, or its JSON text),
            `send_at`, `expires_at` and `created_at` (ISO 8601), `campaign`, `notification_disabled`.
        provider: Provider that issued the LINE ID.
        time_zone: Of times that name none.

    Raises:
        RejectedRecordError: Something needed is missing or malformed.
    """
    return Message(
        message_id=_message_id(record.get("message_id")),
        recipient=parse_recipient(record, provider),
        content=_content(record),
        variables=_variables(record.get("variables")),
        notification_disabled=_flag(record.get("notification_disabled")),
        campaign=_campaign(record.get("campaign")),
        send_at=_time(record, "send_at", time_zone),
        expires_at=_time(record, "expires_at", time_zone),
        created_at=_time(record, "created_at", time_zone),
    )


def _message_id(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not text:
        raise RejectedRecordError(Reason.NO_MESSAGE_ID, f"message_id {value!r} is neither text nor a whole number")
    return storable(text, Reason.NO_MESSAGE_ID, MESSAGE_ID_LENGTH)


def _content(record: Mapping[str, Any]) -> LineMessages:
    text = record.get("text")
    messages = _json_value(record.get("messages"), "messages")
    if (text in (None, "")) == (messages is None):
        found = "both" if messages is not None else "neither"
        raise RejectedRecordError(Reason.NO_CONTENT, f"exactly one of messages and text is needed, found {found}")
    if messages is None:
        if not isinstance(text, str):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, "text: not text")
        return [{"type": "text", "text": text}]
    listed = messages if isinstance(messages, list) else [messages]
    if not 1 <= len(listed) <= 5:  # noqa: PLR2004 - LINE's limit on one request, said in the message
        raise RejectedRecordError(Reason.INVALID_MESSAGE, f"messages: {len(listed)} objects, LINE takes 1 to 5")
    for number, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, f"messages[{number}]: not an object with a type")
    return listed


def _variables(value: object) -> dict[str, Any]:
    variables = _json_value(value, "variables")
    if variables is None:
        return {}
    if not isinstance(variables, dict):
        raise RejectedRecordError(Reason.INVALID_MESSAGE, "variables: not an object")
    return variables


def _json_value(value: object, column: str) -> Any:  # noqa: ANN401 - any JSON value
    """An object or list, which some taps deliver as JSON text."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise RejectedRecordError(Reason.INVALID_MESSAGE, f"{column}: not JSON text") from None


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise RejectedRecordError(Reason.INVALID_MESSAGE, f"notification_disabled: {value!r} is not true or false")


def _campaign(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _UNIT.fullmatch(value):
        raise RejectedRecordError(
            Reason.INVALID_CAMPAIGN, f"campaign {value!r} is not 1 to 30 of the characters a-z, A-Z, 0-9 and _"
        )
    return value


def _time(record: Mapping[str, Any], column: str, zone: tzinfo) -> datetime | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        # A time that the clocks leave out is taken as much later; of one that comes twice, the first.
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise RejectedRecordError(
            Reason.INVALID_TIMESTAMP, f"{column} {value!r} is not an ISO 8601 date-time"
        ) from None
