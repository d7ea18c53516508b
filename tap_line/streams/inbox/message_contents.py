"""What people sent besides text: pictures, films, sound and files, fetched into a directory.

Source: LINE Messaging API reference, "Get content", "Verify the preparation status of a video or audio for getting".
LINE keeps contents for a while that it does not tell, so they are best fetched soon.
"""

from __future__ import annotations

import hashlib
import mimetypes
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotFoundError
from line_core.errors import SettingError
from line_core.store.inbox import read_events
from line_core.webhook_events.content_state import ContentState
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now
from tap_line.event_records.payload import read_payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response
    from line_core.store.inbox import InboxEvent

_PAGE_SIZE = 500
_TYPES = {"image", "video", "audio", "file"}
# LINE prepares long films for minutes; what is not there after this never will be.
_LONGEST_PREPARATION = timedelta(hours=1)


class MessageContents(ApiStream):
    """Pictures, films, sound and files that people sent: what they are and, with content_directory, the bytes."""

    name = "message_contents"
    path = "/v2/bot/message/{message_id}/content"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "message_id")
    replication_key = "position"
    is_sorted = True
    renamed: ClassVar[Mapping[str, str]] = {"sha256": "sha256"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("channel", th.StringType, required=True, description="Name of the channel that received it"),
        th.Property("message_id", th.StringType, required=True, description="LINE's id of the message"),
        th.Property("position", th.IntegerType, description="Position of its event in the inbox"),
        th.Property("type", th.StringType, description="image, video, audio or file"),
        th.Property("line_id", th.StringType, description="LINE ID of the sender"),
        th.Property("occurred_at", th.DateTimeType, description="When it was sent"),
        th.Property("file_name", th.StringType, description="Name of a file, as its sender called it"),
        th.Property("duration_ms", th.IntegerType, description="Length of video and audio, in milliseconds"),
        th.Property(
            "external_url",
            th.StringType,
            description="Where the content is, if its sender's app keeps it and LINE does not",
        ),
        th.Property("is_available", th.BooleanType, description="Whether LINE had it; null if it was not asked"),
        th.Property("content_type", th.StringType, description="Media type"),
        th.Property("size", th.IntegerType, description="Bytes"),
        th.Property("sha256", th.StringType, description="SHA-256 of the bytes, hexadecimal"),
        th.Property("file_path", th.StringType, description="The file in content_directory"),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """Contents have a host of their own."""
        url: str = self.config["api_data_url"]
        return url.rstrip("/")

    @cached_property
    def _directory(self) -> Path | None:
        """Where the bytes go.

        Raises:
            SettingError: Nothing can be written there.
        """
        named = self.config.get("content_directory")
        if not named:
            self.logger.info("content_directory is not set: contents are listed and not fetched")
            return None
        directory = Path(named)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(f"cannot be made: {error.strerror}", setting="content_directory") from None
        return directory

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """A record for each content, in the order of the inbox, as far as LINE has prepared them."""
        for event, message in self._messages():
            record = _described(event, message)
            if self._directory and record["externalUrl"] is None:
                reply = self._content(str(event.message_id))
                if reply is not None and reply.status == HTTPStatus.ACCEPTED:
                    if now() - event.occurred_at < _LONGEST_PREPARATION:
                        self.logger.info("LINE is still preparing a content; the next run goes on from it")
                        return
                    reply = None
                record |= {"isAvailable": False} if reply is None else self._keep(self._directory, event, reply)
            yield record

    def _messages(self) -> Iterator[tuple[InboxEvent, dict[str, Any]]]:
        channel = self.config.get("channel")
        incremental = self.replication_method == "INCREMENTAL"
        position = int(self.stream_state.get("replication_key_value") or 0) if incremental else 0
        while page := self._page(position):
            for event in page:
                if channel in (None, event.channel) and event.message_state != ContentState.UNSENT:
                    message = read_payload(event.payload).get("message")
                    if isinstance(message, dict) and message.get("type") in _TYPES:
                        yield event, message
            position = page[-1].position

    def _page(self, position: int) -> list[InboxEvent]:
        with self.tap.store.read() as connection:
            return read_events(connection, position, _PAGE_SIZE, types=("message",))

    def _content(self, message_id: str) -> Response | None:
        try:
            return self.fetch(f"/v2/bot/message/{message_id}/content")
        except NotFoundError:
            return None

    def _keep(self, directory: Path, event: InboxEvent, reply: Response) -> dict[str, Any]:
        content_type = (reply.headers.get("content-type") or "application/octet-stream").partition(";")[0].strip()
        name = f"{event.message_id}{mimetypes.guess_extension(content_type) or '.bin'}"
        # Under its name a file is whole, whenever the run ends.
        unfinished = directory / f".{name}.part"
        try:
            unfinished.write_bytes(reply.body)
            unfinished.replace(directory / name)
        except OSError as error:
            raise SettingError(f"cannot be written: {error.strerror}", setting="content_directory") from None
        return {
            "isAvailable": True,
            "contentType": content_type,
            "size": len(reply.body),
            "sha256": hashlib.sha256(reply.body).hexdigest(),
            "filePath": str(directory / name),
        }


def _described(event: InboxEvent, message: dict[str, Any]) -> dict[str, Any]:
    provider = message.get("contentProvider")
    external = provider.get("originalContentUrl") if isinstance(provider, dict) else None
    duration = message.get("duration")
    file_name = message.get("fileName")
    return {
        "channel": event.channel,
        "messageId": event.message_id,
        "position": event.position,
        "type": message["type"],
        "lineId": event.line_id,
        "occurredAt": event.occurred_at.isoformat(),
        "fileName": file_name if isinstance(file_name, str) else None,
        "durationMs": duration if type(duration) is int else None,
        "externalUrl": external if isinstance(external, str) else None,
    }
