"""Parse a webhook request: extract the events as unchanged text, and the fields that the inbox stores as columns.

Pure functions without HTTP or SQL. Types, fields and number sizes that LINE may add later are passed through unchanged.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from line_core.errors import LineError
from line_core.json_text import decode, split_array, split_object
from line_core.webhook_events.content_state import CONTENT_TYPES, UNSEND, ContentState

UNKNOWN_TYPE: Final = "unknown"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MILLISECONDS = 253_402_300_799_999
"""End of the year 9999, the last time that `datetime` can hold."""


class MalformedWebhookError(LineError):
    """The body is not a webhook request: not UTF-8, not JSON, or not an object with a list of event objects."""


class ReceivedEvent(Struct, frozen=True, array_like=True, gc=False):
    """One webhook event: its JSON text and the columns of its row. Times are timezone-aware, in milliseconds."""

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
    """Return the events of a webhook request.

    An event with a missing or undocumented field is still returned: the payload is its text, and the column is empty.
    An event without a valid timestamp gets the time of receipt. An event without a valid `webhookEventId` gets a digest
    of its content, which is the same for every redelivery.

    Args:
        channel: Name of the channel whose secret signed the request.
        body: Body of the request.
        received_at: Time of receipt, timezone-aware.

    Returns:
        The events in their order; empty for LINE's verification request.

    Raises:
        MalformedWebhookError: The body is not a webhook request. No part of it may be stored.
    """
    received_at = received_at.replace(microsecond=received_at.microsecond // 1000 * 1000)
    try:
        destination, events = _parse_fast(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            destination, events = _parse_tolerant(body.decode())
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise MalformedWebhookError(f"the body is not a webhook request: {reason}") from None
    return [_received(channel, event, payload, destination or None, received_at) for event, payload in events]


def _received(
    channel: str, event: _Event, payload: str, destination: str | None, received_at: datetime
) -> ReceivedEvent:
    source = event.source
    message_id = event.unsend.message_id if event.type == UNSEND else event.message.id
    return ReceivedEvent(
        channel,
        event.webhook_event_id or _digest(payload),
        event.type or UNKNOWN_TYPE,
        event.mode or None,
        received_at if event.timestamp is None else _time(event.timestamp),
        received_at,
        destination,
        source.user_id or None,
        source.type or None,
        source.group_id or source.room_id or None,
        message_id or None,
        ContentState.CURRENT if event.type in CONTENT_TYPES else None,
        payload,
    )


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _digest(payload: str) -> str:
    # When LINE redelivers an event, it changes only deliveryContext.
    content = {key: value for key, value in decode(payload).items() if key != "deliveryContext"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


# --- The fields that become columns. A missing string is empty. ------------------------------------------------------

_Id = Annotated[str, Meta(max_length=64)]
_ChatId = Annotated[str, Meta(max_length=80)]
_ShortText = Annotated[str, Meta(max_length=16)]


class _Source(Struct, rename="camel", frozen=True, gc=False):
    type: _ShortText = ""
    user_id: _ChatId = ""
    group_id: _ChatId = ""
    room_id: _ChatId = ""


class _Message(Struct, frozen=True, gc=False):
    id: _Id = ""


class _Unsend(Struct, rename="camel", frozen=True, gc=False):
    message_id: _Id = ""


class _Event(Struct, rename="camel"):
    type: _Id = ""
    mode: _ShortText = ""
    timestamp: Annotated[int, Meta(ge=0, le=_MAX_MILLISECONDS)] | None = None
    webhook_event_id: _Id = ""
    source: _Source = _Source()
    message: _Message = _Message()
    unsend: _Unsend = _Unsend()


class _Envelope(Struct):
    events: list[msgspec.Raw]
    destination: _ChatId = ""


class _Destination(Struct):
    destination: _ChatId = ""


# --- Two parsers with the same result: a fast one for documented events, and a tolerant one for everything else. ------

_ESCAPED_NUL = b"\\u0000"
# Neither database can store NUL in text, and UTF-8 cannot encode lone surrogates.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

_Fields = TypeVar("_Fields", bound=Struct)

_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def _parse_fast(body: bytes) -> tuple[str, list[tuple[_Event, str]]]:
    if _ESCAPED_NUL in body:
        raise msgspec.ValidationError("escaped NUL")
    body.decode()  # msgspec does not check the encoding of skipped values
    envelope = _decode_envelope(body)
    return envelope.destination, [(_decode_event(raw), str(raw, "utf-8")) for raw in envelope.events]


def _parse_tolerant(text: str) -> tuple[str, list[tuple[_Event, str]]]:
    members = split_object(text)
    if "events" not in members:
        raise ValueError("no `events`")
    events = [(decode(event), event) for event in split_array(members["events"])]
    if not all(isinstance(event, dict) for event, _ in events):
        raise ValueError("an event that is not an object")
    envelope = {"destination": decode(members.get("destination", '""'))}
    return (
        _convert_valid_fields(envelope, _Destination).destination,
        [(_convert_valid_fields(event, _Event), payload) for event, payload in events],
    )


def _convert_valid_fields(value: object, kind: type[_Fields]) -> _Fields:
    """Convert an object, and leave out the members that are not as documented."""
    members = value if isinstance(value, dict) else {}
    valid: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        member = members.get(field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            valid[field.name] = _convert_valid_fields(member, field.type)
        elif not (isinstance(member, str) and _UNSTORABLE.search(member)):
            try:
                valid[field.name] = msgspec.convert(member, field.type)
            except msgspec.ValidationError:
                continue
    return kind(**valid)
