"""LINE's webhook events as text: taken out of a request's body without changing a byte, and read for what matters.

Pure: knows nothing of HTTP or SQL. Everything LINE may add (types, fields, bigger numbers) passes through untouched.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from line_core.errors import LineError
from line_core.json_text import read, split_array, split_object
from line_core.message_states import CONTENT_TYPES, UNSEND, MessageState

UNKNOWN_TYPE: Final = "unknown"

_ID_LENGTH = 64
_CHAT_ID_LENGTH = 80
_TYPE_LENGTH = 64
_WORD_LENGTH = 16
# Neither database stores a NUL in text, and lone surrogates have no UTF-8.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_LAST_MILLISECOND = 253_402_300_799_999


class MalformedBodyError(LineError):
    """The body is not a webhook request: not UTF-8, not JSON, or not an object with a list of event objects."""


class ReceivedEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One webhook event: its JSON text, and the fields that rows are found by. Times are aware, to the millisecond."""

    channel: str
    webhook_event_id: str
    type: str
    mode: str | None
    occurred_at: datetime
    received_at: datetime
    destination: str | None
    line_id: str | None
    source_type: str | None
    chat_id: str | None
    message_id: str | None
    message_state: str | None
    payload: str


def parse_events(channel: str, body: bytes, received_at: datetime) -> list[ReceivedEvent]:
    """Take the events out of a webhook request.

    An event that lacks a field, or holds something else there than LINE documents, is kept all the same: its text is
    the payload, and the column stays empty. An event without a usable time gets the time of receipt; one without a
    usable `webhookEventId` gets a digest of its contents, the same for every redelivery.

    Args:
        channel: Name of the channel whose secret signed the request.
        body: The request's body.
        received_at: Time of receipt, aware.

    Returns:
        The events in their order; none for LINE's verification request.

    Raises:
        MalformedBodyError: The body is not a webhook request. Nothing of it may be stored.
    """
    received_at = received_at.replace(microsecond=received_at.microsecond // 1000 * 1000)
    try:
        destination, events = _split(body)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MalformedBodyError(f"the body is not a webhook request: {reason}") from None
    bot = _text(destination, _CHAT_ID_LENGTH)
    return [_received(channel, event, payload, bot, received_at) for event, payload in events]


def _received(
    channel: str, event: dict[str, Any], payload: str, destination: str | None, received_at: datetime
) -> ReceivedEvent:
    source = _object(event.get("source"))
    kind = _text(event.get("type"), _TYPE_LENGTH) or UNKNOWN_TYPE
    message = event.get("unsend" if kind == UNSEND else "message")
    message_id = _object(message).get("messageId" if kind == UNSEND else "id")
    return ReceivedEvent(
        channel,
        _text(event.get("webhookEventId"), _ID_LENGTH) or _digest(payload),
        kind,
        _text(event.get("mode"), _WORD_LENGTH),
        _time(event.get("timestamp")) or received_at,
        received_at,
        destination,
        _text(source.get("userId"), _CHAT_ID_LENGTH),
        _text(source.get("type"), _WORD_LENGTH),
        _text(source.get("groupId"), _CHAT_ID_LENGTH) or _text(source.get("roomId"), _CHAT_ID_LENGTH),
        _text(message_id, _ID_LENGTH),
        MessageState.CURRENT if kind in CONTENT_TYPES else None,
        payload,
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, longest: int) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= longest and not _UNSTORABLE.search(value):
        return value
    return None


def _time(milliseconds: object) -> datetime | None:
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and 0 <= milliseconds <= _LAST_MILLISECOND:
        seconds, rest = divmod(milliseconds, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    return None


def _digest(payload: str) -> str:
    # LINE changes deliveryContext alone when it sends an event again.
    content = {key: value for key, value in read(payload).items() if key != "deliveryContext"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Envelope(msgspec.Struct):
    events: list[msgspec.Raw]
    destination: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT = msgspec.json.Decoder(dict[str, Any])


def _split(body: bytes) -> tuple[Any, list[tuple[dict[str, Any], str]]]:
    """Split a body into its destination and its events, each read and as text."""
    try:
        envelope = _ENVELOPE.decode(body)
        return envelope.destination, [(_EVENT.decode(raw), str(raw, "utf-8")) for raw in map(bytes, envelope.events)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # It may still be JSON: msgspec refuses numbers of thousands of digits and escaped halves of emoji.
        return _split_with_care(body.decode())


def _split_with_care(text: str) -> tuple[Any, list[tuple[dict[str, Any], str]]]:
    members = split_object(text)
    if "events" not in members:
        raise ValueError("no `events`")
    events = [(read(event), event) for event in split_array(members["events"])]
    if not all(isinstance(event, dict) for event, _ in events):
        raise ValueError("an event that is not an object")
    return read(members.get("destination", "null")), events
