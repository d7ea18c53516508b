"""LINE's webhook events as text: taken out of a request's body without changing a byte, and read for what matters.

Pure: knows nothing of HTTP or SQL. Everything LINE may add (types, fields, bigger numbers) passes through untouched.

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
from line_core.json_text import read, split_array, split_object
from line_core.webhook_events.content_state import CONTENT_TYPES, UNSEND, MessageState

UNKNOWN_TYPE: Final = "unknown"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = 253_402_300_799_999


class MalformedBodyError(LineError):
    """The body is not a webhook request: not UTF-8, not JSON, or not an object with a list of event objects."""


class ReceivedEvent(Struct, frozen=True, array_like=True, gc=False):
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
        destination, events = _read_quickly(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            destination, events = _read_with_care(body.decode())
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise MalformedBodyError(f"the body is not a webhook request: {reason}") from None
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
        MessageState.CURRENT if event.type in CONTENT_TYPES else None,
        payload,
    )


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _digest(payload: str) -> str:
    # LINE changes deliveryContext alone when it sends an event again.
    content = {key: value for key, value in read(payload).items() if key != "deliveryContext"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


# --- What columns are made of. Strings are empty when absent. --------------------------------------------------------

_Id = Annotated[str, Meta(max_length=64)]
_ChatId = Annotated[str, Meta(max_length=80)]
_Word = Annotated[str, Meta(max_length=16)]


class _Source(Struct, rename="camel", frozen=True, gc=False):
    type: _Word = ""
    user_id: _ChatId = ""
    group_id: _ChatId = ""
    room_id: _ChatId = ""


class _Message(Struct, frozen=True, gc=False):
    id: _Id = ""


class _Unsend(Struct, rename="camel", frozen=True, gc=False):
    message_id: _Id = ""


class _Event(Struct, rename="camel"):
    type: _Id = ""
    mode: _Word = ""
    timestamp: Annotated[int, Meta(ge=0, le=_LAST_MILLISECOND)] | None = None
    webhook_event_id: _Id = ""
    source: _Source = _Source()
    message: _Message = _Message()
    unsend: _Unsend = _Unsend()


class _Envelope(Struct):
    events: list[msgspec.Raw]
    destination: _ChatId = ""


class _Destination(Struct):
    destination: _ChatId = ""


# --- Two ways to the same: one for what LINE documents, one for everything. -------------------------------------------

_ESCAPED_NUL = b"\\u0000"
# Neither database stores a NUL in text, and lone surrogates have no UTF-8.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

_Fields = TypeVar("_Fields", bound=Struct)

_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def _read_quickly(body: bytes) -> tuple[str, list[tuple[_Event, str]]]:
    if _ESCAPED_NUL in body:
        raise msgspec.ValidationError("needs care")
    body.decode()  # msgspec does not look into what it skips
    envelope = _decode_envelope(body)
    return envelope.destination, [(_decode_event(raw), str(raw, "utf-8")) for raw in envelope.events]


def _read_with_care(text: str) -> tuple[str, list[tuple[_Event, str]]]:
    members = split_object(text)
    if "events" not in members:
        raise ValueError("no `events`")
    events = [(read(event), event) for event in split_array(members["events"])]
    if not all(isinstance(event, dict) for event, _ in events):
        raise ValueError("an event that is not an object")
    envelope = {"destination": read(members.get("destination", '""'))}
    return (
        _what_fits(envelope, _Destination).destination,
        [(_what_fits(event, _Event), payload) for event, payload in events],
    )


def _what_fits(value: object, kind: type[_Fields]) -> _Fields:
    """Take those members of an object that are as documented; leave the others out."""
    members = value if isinstance(value, dict) else {}
    fitting: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        member = members.get(field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            fitting[field.name] = _what_fits(member, field.type)
        elif not (isinstance(member, str) and _UNSTORABLE.search(member)):
            try:
                fitting[field.name] = msgspec.convert(member, field.type)
            except msgspec.ValidationError:
                continue
    return kind(**fitting)
