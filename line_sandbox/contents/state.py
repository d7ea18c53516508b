"""Contents of messages that users sent, by message id.

A generated message id encodes the kind of content. Only unsent messages, ids from outside, and the time of the first
request for a content that LINE has to transcode are stored.

Source: LINE Messaging API reference, "Getting content".
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from line_sandbox.foundation.api_errors import Gone, InvalidRequest, NotFound
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.foundation.solid_png import solid_png

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

TRANSCODING_SECONDS = 10.0

_CHECKSUM_LIMIT = 10**4
_KIND_LIMIT = 10
_TRANSCODED_EVERY = 4
_FAILED_EVERY = 16
_PREVIEW_SIDE = 16


class ContentKind(IntEnum):
    """The kind of content in a message; the digit is part of the message id."""

    NONE = 0
    IMAGE = 1
    VIDEO = 2
    AUDIO = 3
    FILE = 4


_KIND_OF_TYPE = {
    "image": ContentKind.IMAGE,
    "video": ContentKind.VIDEO,
    "audio": ContentKind.AUDIO,
    "file": ContentKind.FILE,
}
_TRANSCODED_KINDS = (ContentKind.VIDEO, ContentKind.AUDIO)
_PREVIEW_KINDS = (ContentKind.IMAGE, ContentKind.VIDEO)


class Content(NamedTuple):
    """Bytes and their media type."""

    data: bytes
    media_type: str


class Contents:
    """The contents of incoming messages."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = SeededRandom(seed, "contents")
        self._unsent: set[str] = set()
        self._external: dict[str, ContentKind] = {}
        self._first_requested_at: dict[str, float] = {}

    def message_id(self, message_type: str, value: int) -> str:
        """Return an id for an incoming message: 18 digits, the last four of which are a checksum.

        Args:
            message_type: LINE's type: `text`, `image`.
            value: A number below 10 ** 12 that is unique to the message.
        """
        stem = (4 * 10**12 + value) * _KIND_LIMIT + _KIND_OF_TYPE.get(message_type, ContentKind.NONE)
        return f"{stem}{self._random.integer(stem) % _CHECKSUM_LIMIT:04d}"

    def record_message(self, message_id: str, message_type: str) -> None:
        """Record an incoming message; needed for ids that the sandbox did not generate."""
        if self._encoded_kind(message_id) is None:
            self._external[message_id] = _KIND_OF_TYPE.get(message_type, ContentKind.NONE)

    def unsend(self, message_id: str) -> None:
        """Record that a user unsent a message."""
        self._unsent.add(message_id)

    def get(self, message_id: str) -> Content | None:
        """Return a message's content; None while it is being transcoded.

        Raises:
            Gone: The user unsent the message.
            NotFound: The message does not exist, has no content, or transcoding failed.
        """
        kind = self._kind(message_id)
        status = self._status(message_id, kind)
        if status == "failed":
            raise NotFound("not found")
        return None if status == "processing" else _content(kind, message_id)

    def preview(self, message_id: str) -> Content | None:
        """Return a preview image of a message's content; None while it is being transcoded.

        Raises:
            Gone: The user unsent the message.
            InvalidRequest: The content is neither an image nor a video.
            NotFound: The message does not exist or has no content.
        """
        kind = self._kind(message_id)
        if kind not in _PREVIEW_KINDS:
            raise InvalidRequest("The content can not be previewed")
        if self._status(message_id, kind) == "processing":
            return None
        return Content(solid_png(message_id, _PREVIEW_SIDE, _PREVIEW_SIDE), "image/png")

    def transcoding_status(self, message_id: str) -> str:
        """Return LINE's transcoding status: `processing`, `succeeded` or `failed`.

        Raises:
            Gone: The user unsent the message.
            InvalidRequest: The content is neither video nor audio.
            NotFound: The message does not exist or has no content.
        """
        kind = self._kind(message_id)
        if kind not in _TRANSCODED_KINDS:
            raise InvalidRequest("Transcoding status doesn't support this type of content")
        return self._status(message_id, kind)

    def _kind(self, message_id: str) -> ContentKind:
        if message_id in self._unsent:
            raise Gone("The content is gone")
        kind = self._external.get(message_id) or self._encoded_kind(message_id)
        if not kind:
            raise NotFound("not found")
        return kind

    def _encoded_kind(self, message_id: str) -> ContentKind | None:
        """Return the kind in a generated message id; None for any other id."""
        if not (message_id.isascii() and message_id.isdigit()):
            return None
        stem, checksum = divmod(int(message_id), _CHECKSUM_LIMIT)
        is_generated = self._random.integer(stem % 2**64) % _CHECKSUM_LIMIT == checksum
        if not is_generated or stem % _KIND_LIMIT not in set(ContentKind):
            return None
        return ContentKind(stem % _KIND_LIMIT)

    def _status(self, message_id: str, kind: ContentKind) -> str:
        value = self._random.integer(2**64 + int(message_id[-17:])) if message_id.isdigit() else 1
        if kind not in _TRANSCODED_KINDS or value % _TRANSCODED_EVERY:
            return "succeeded"
        if value % _FAILED_EVERY == 0:
            return "failed"
        # Transcoding starts with the first request, regardless of when the message was sent.
        started_at = self._first_requested_at.setdefault(message_id, self._clock.now())
        return "processing" if self._clock.now() < started_at + TRANSCODING_SECONDS else "succeeded"


def _content(kind: ContentKind, message_id: str) -> Content:
    match kind:
        case ContentKind.IMAGE:
            return Content(solid_png(message_id), "image/png")
        case ContentKind.VIDEO:
            return Content(_iso_media_file(b"mp42", message_id), "video/mp4")
        case ContentKind.AUDIO:
            return Content(_iso_media_file(b"M4A ", message_id), "audio/x-m4a")
        case _:
            return Content(f"The file of message {message_id}.\n".encode(), "application/octet-stream")


def _iso_media_file(brand: bytes, message_id: str) -> bytes:
    """Return an ISO media file without tracks: a file type box and a free box with the message id."""
    file_type = (20).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + brand
    text = message_id.encode()
    return file_type + (8 + len(text)).to_bytes(4, "big") + b"free" + text
