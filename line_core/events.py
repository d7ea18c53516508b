"""LINE's webhook events as text: taken out of a request's body without changing a byte, and read for what matters.

Pure: knows nothing of HTTP or SQL. Everything LINE may add (types, fields, bigger numbers) passes through untouched.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from line_core.errors import LineError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN_TYPE: Final = "unknown"

_ID_LENGTH = 64
_CHAT_ID_LENGTH = 80
_WORD_LENGTH = 64
_MODE_LENGTH = 16
_SPACE: Final = " \t\n\r"
# Neither database stores a NUL in text, and lone surrogates have no UTF-8.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_LAST_MILLISECOND = 253_402_300_799_999
_MOST_DIGITS = 18


class MalformedBodyError(LineError):
    """The body is not a webhook request: not UTF-8, not JSON, or not an object with a list of event objects."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One webhook event: its JSON text, and the fields that rows are found by."""

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
    try:
        destination, events = _split_envelope(body.decode())
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MalformedBodyError(f"the body is not a webhook request: {reason}") from None
    return [_received(channel, event, payload, destination, received_at) for event, payload in events]


def _received(
    channel: str, event: dict[str, Any], payload: str, destination: object, received_at: datetime
) -> ReceivedEvent:
    source = _object(event.get("source"))
    kind = _text(event.get("type"), _WORD_LENGTH) or UNKNOWN_TYPE
    message = _object(event.get("message"))
    message_id = _object(event.get("unsend")).get("messageId") if kind == "unsend" else message.get("id")
    return ReceivedEvent(
        channel=channel,
        webhook_event_id=_text(event.get("webhookEventId"), _ID_LENGTH) or _digest(event),
        type=kind,
        mode=_text(event.get("mode"), _MODE_LENGTH),
        occurred_at=_time(event.get("timestamp")) or received_at,
        received_at=received_at,
        destination=_text(destination, _CHAT_ID_LENGTH),
        line_id=_text(source.get("userId"), _CHAT_ID_LENGTH),
        source_type=_text(source.get("type"), _MODE_LENGTH),
        chat_id=_text(source.get("groupId"), _CHAT_ID_LENGTH) or _text(source.get("roomId"), _CHAT_ID_LENGTH),
        message_id=_text(message_id, _ID_LENGTH),
        payload=payload,
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


def _digest(event: dict[str, Any]) -> str:
    # LINE changes deliveryContext alone when it sends an event again.
    content = {key: value for key, value in event.items() if key != "deliveryContext"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Cursor:
    """A place in a JSON text; knows where each value begins and ends, which the json module does not tell."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._skip_space()

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member of an object or array in turn; the caller takes it."""
        self.expect(opening)
        if self.takes(closing):
            return
        yield
        while not self.takes(closing):
            self.expect(",")
            yield

    def value(self) -> Any:  # noqa: ANN401 - any JSON
        """Take a value."""
        value, self.at = _DECODER.raw_decode(self.text, self.at)
        self._skip_space()
        return value

    def takes(self, token: str) -> bool:
        """Take a token if it stands here."""
        if not self.text.startswith(token, self.at):
            return False
        self.at += 1
        self._skip_space()
        return True

    def expect(self, token: str) -> None:
        """Take a token that must stand here."""
        if not self.takes(token):
            raise ValueError(f"expecting {token!r} at character {self.at}")

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self.at != len(self.text):
            raise ValueError(f"expecting the end at character {self.at}")

    def _skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1


def _number(digits: str) -> float:
    # Python refuses to read numbers of thousands of digits; the payload keeps them, and no column needs them.
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_constant=_no_number)


def _split_envelope(text: str) -> tuple[object, list[tuple[dict[str, Any], str]]]:
    cursor = _Cursor(text)
    destination: object = None
    events: list[tuple[dict[str, Any], str]] | None = None
    for _ in cursor.items("{", "}"):
        key = cursor.value()
        if not isinstance(key, str):
            raise ValueError("a member without a name")  # noqa: TRY004 - one kind of error for all that is not JSON
        cursor.expect(":")
        if key == "events":
            events = _split_events(cursor)
        elif key == "destination":
            destination = cursor.value()
        else:
            cursor.value()
    cursor.expect_end()
    if events is None:
        raise ValueError("no `events`")
    return destination, events


def _split_events(cursor: _Cursor) -> list[tuple[dict[str, Any], str]]:
    events = []
    for _ in cursor.items("[", "]"):
        begin = cursor.at
        event = cursor.value()
        if not isinstance(event, dict):
            raise ValueError("an event that is not an object")  # noqa: TRY004 - as above
        events.append((event, cursor.text[begin : cursor.at].rstrip(_SPACE)))
    return events
