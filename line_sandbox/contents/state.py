"""What people have sent: pictures, films, sound, files, by the id of their message.

An id tells what its message is, so that nothing is stored but what was taken back or asked for while being prepared.

Source: LINE Messaging API reference, "Getting content".
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from line_sandbox.foundation.api_errors import Gone, InvalidRequest, NotFound
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.users.pictures import picture

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

PREPARING_SECONDS = 10.0

_CHECK = 10**4
_KINDS = 10
_LARGE_EVERY = 4
_BROKEN_EVERY = 16
_PREVIEW_SIDE = 16


class ContentKind(IntEnum):
    """What a message holds."""

    NONE = 0
    IMAGE = 1
    VIDEO = 2
    AUDIO = 3
    FILE = 4


_OF_TYPE = {
    "image": ContentKind.IMAGE,
    "video": ContentKind.VIDEO,
    "audio": ContentKind.AUDIO,
    "file": ContentKind.FILE,
}
_PREPARED = (ContentKind.VIDEO, ContentKind.AUDIO)
_SEEN = (ContentKind.IMAGE, ContentKind.VIDEO)


class Content(NamedTuple):
    """Bytes and their media type."""

    data: bytes
    media_type: str


class Contents:
    """The contents of incoming messages."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._chance = SeededRandom(seed, "contents")
        self._unsent: set[str] = set()
        self._known: dict[str, ContentKind] = {}
        self._first_asked: dict[str, float] = {}

    def message_id(self, message_type: str, draw: int) -> str:
        """An id for an incoming message: 18 digits.

        Args:
            message_type: LINE's type: `text`, `image`.
            draw: A number below 10 ** 12 that no other message has.
        """
        stem = (4 * 10**12 + draw) * _KINDS + _OF_TYPE.get(message_type, ContentKind.NONE)
        return f"{stem}{self._chance.integer(stem) % _CHECK:04d}"

    def received(self, message_id: str, message_type: str) -> None:
        """A message with an id of somebody else's making was sent."""
        if self._made(message_id) is None:
            self._known[message_id] = _OF_TYPE.get(message_type, ContentKind.NONE)

    def unsend(self, message_id: str) -> None:
        """A message was taken back."""
        self._unsent.add(message_id)

    def get(self, message_id: str) -> Content | None:
        """A message's content; None while it is being prepared.

        Raises:
            Gone: The message was taken back.
            NotFound: There is no such message, or nothing in it, or it could not be prepared.
        """
        kind = self._kind(message_id)
        status = self._status(message_id, kind)
        if status == "failed":
            raise NotFound("not found")
        return None if status == "processing" else _content(kind, message_id)

    def preview(self, message_id: str) -> Content | None:
        """A small picture of a message's content; None while it is being prepared.

        Raises:
            Gone: The message was taken back.
            InvalidRequest: There is nothing to see in it.
            NotFound: There is no such message, or nothing in it.
        """
        kind = self._kind(message_id)
        if kind not in _SEEN:
            raise InvalidRequest("The content can not be previewed")
        if self._status(message_id, kind) == "processing":
            return None
        return Content(picture(message_id, _PREVIEW_SIDE), "image/png")

    def transcoding(self, message_id: str) -> str:
        """How far the preparation of a film or sound is, in LINE's words.

        Raises:
            Gone: The message was taken back.
            InvalidRequest: It is no film or sound.
            NotFound: There is no such message, or nothing in it.
        """
        kind = self._kind(message_id)
        if kind not in _PREPARED:
            raise InvalidRequest("Transcoding status doesn't support this type of content")
        return self._status(message_id, kind)

    def _kind(self, message_id: str) -> ContentKind:
        if message_id in self._unsent:
            raise Gone("The content is gone")
        kind = self._known.get(message_id) or self._made(message_id)
        if not kind:
            raise NotFound("not found")
        return kind

    def _made(self, message_id: str) -> ContentKind | None:
        if not (message_id.isascii() and message_id.isdigit()):
            return None
        stem, check = divmod(int(message_id), _CHECK)
        if self._chance.integer(stem % 2**64) % _CHECK != check or stem % _KINDS not in set(ContentKind):
            return None
        return ContentKind(stem % _KINDS)

    def _status(self, message_id: str, kind: ContentKind) -> str:
        draw = self._chance.integer(2**64 + int(message_id[-17:])) if message_id.isdigit() else 1
        if kind not in _PREPARED or draw % _LARGE_EVERY:
            return "succeeded"
        if draw % _BROKEN_EVERY == 0:
            return "failed"
        # Large ones are ready some time after they are first asked for, whenever they were sent.
        first = self._first_asked.setdefault(message_id, self._clock.now())
        return "processing" if self._clock.now() < first + PREPARING_SECONDS else "succeeded"


def _content(kind: ContentKind, message_id: str) -> Content:
    match kind:
        case ContentKind.IMAGE:
            return Content(picture(message_id), "image/png")
        case ContentKind.VIDEO:
            return Content(_iso_media(b"mp42", message_id), "video/mp4")
        case ContentKind.AUDIO:
            return Content(_iso_media(b"M4A ", message_id), "audio/x-m4a")
        case _:
            return Content(f"The file of message {message_id}.\n".encode(), "application/octet-stream")


def _iso_media(brand: bytes, message_id: str) -> bytes:
    """A file that says what it is and plays for no time."""
    kind = (20).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + brand
    note = message_id.encode()
    return kind + (8 + len(note)).to_bytes(4, "big") + b"free" + note
