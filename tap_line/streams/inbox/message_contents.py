"""Images, videos, audio and files that people sent, downloaded to a directory.

LINE deletes contents after some time that it does not publish, so the tap should run soon after the messages.

Source: LINE Messaging API reference, "Get content", "Verify the preparation status of a video or audio for getting".
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
_CONTENT_TYPES = {"image", "video", "audio", "file"}
# LINE needs minutes to prepare a long video. After this time the content counts as unavailable.
_PREPARATION_TIMEOUT = timedelta(hours=1)


class MessageContents(ApiStream):
    """Images, videos, audio and files that people sent: metadata and, with content_directory, the downloaded file."""

    description = (
        "Images, videos, audio and files that people sent: metadata and, with content_directory, the downloaded file."
    )
    name = "message_contents"
    path = "/v2/bot/message/{message_id}/content"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "message_id")
    replication_key = "position"
    is_sorted = True
    renamed_fields: ClassVar[Mapping[str, str]] = {"sha256": "sha256"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("channel", th.StringType, required=True, description="Name of the channel that received it"),
        th.Property("message_id", th.StringType, required=True, description="LINE's ID of the message"),
        th.Property("position", th.IntegerType, description="Position of the event in the inbox"),
        th.Property("type", th.StringType, description="image, video, audio or file"),
        th.Property("line_id", th.StringType, description="LINE ID of the sender"),
        th.Property("occurred_at", th.DateTimeType, description="Time of sending"),
        th.Property("file_name", th.StringType, description="Original name of a file"),
        th.Property("duration_ms", th.IntegerType, description="Duration of video and audio, in milliseconds"),
        th.Property(
            "external_url",
            th.StringType,
            description="URL of the content, if it is not stored at LINE (content provider external)",
        ),
        th.Property(
            "is_available", th.BooleanType, description="Whether LINE had the content; null if it was not requested"
        ),
        th.Property("content_type", th.StringType, description="Media type"),
        th.Property("size", th.IntegerType, description="Size in bytes"),
        th.Property("sha256", th.StringType, description="SHA-256 of the content, hexadecimal"),
        th.Property("file_path", th.StringType, description="Path of the file in content_directory"),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """Base URL of the data API, which has a separate host."""
        url: str = self.config["api_data_url"]
        return url.rstrip("/")

    @cached_property
    def _directory(self) -> Path | None:
        """The directory for downloads, or None if it is not set.

        Raises:
            SettingError: The directory cannot be created.
        """
        setting = self.config.get("content_directory")
        if not setting:
            self.logger.info("content_directory is not set: contents are listed, but not downloaded")
            return None
        directory = Path(setting)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(f"cannot be created: {error.strerror}", setting="content_directory") from None
        return directory

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield a record per content, by inbox position. Stop at a content that LINE is still preparing."""
        for event, message in self._content_messages():
            record = _metadata(event, message)
            if self._directory and record["externalUrl"] is None:
                response = self._request_content(str(event.message_id))
                if response is not None and response.status == HTTPStatus.ACCEPTED:
                    if now() - event.occurred_at < _PREPARATION_TIMEOUT:
                        self.logger.info("LINE is still preparing a content; the next run continues with it")
                        return
                    response = None
                if response is None:
                    record["isAvailable"] = False
                else:
                    record |= self._write_file(self._directory, event, response)
            yield record

    def _content_messages(self) -> Iterator[tuple[InboxEvent, dict[str, Any]]]:
        channel = self.config.get("channel")
        position = int(self.stream_state.get("replication_key_value") or 0) if self.is_incremental else 0
        while page := self._read_page(position):
            for event in page:
                if channel in (None, event.channel) and event.message_state != ContentState.UNSENT:
                    message = read_payload(event.payload).get("message")
                    if isinstance(message, dict) and message.get("type") in _CONTENT_TYPES:
                        yield event, message
            position = page[-1].position

    def _read_page(self, position: int) -> list[InboxEvent]:
        with self.services.store.read() as connection:
            return read_events(connection, position, _PAGE_SIZE, types=("message",))

    def _request_content(self, message_id: str) -> Response | None:
        try:
            return self.fetch(f"/v2/bot/message/{message_id}/content")
        except NotFoundError:
            return None

    def _write_file(self, directory: Path, event: InboxEvent, response: Response) -> dict[str, Any]:
        content_type = (response.headers.get("content-type") or "application/octet-stream").partition(";")[0].strip()
        name = f"{event.message_id}{mimetypes.guess_extension(content_type) or '.bin'}"
        # A file gets its name only when it is complete, so that an interrupted run leaves no partial file.
        partial_file = directory / f".{name}.part"
        try:
            partial_file.write_bytes(response.body)
            partial_file.replace(directory / name)
        except OSError as error:
            raise SettingError(f"cannot be written: {error.strerror}", setting="content_directory") from None
        return {
            "isAvailable": True,
            "contentType": content_type,
            "size": len(response.body),
            "sha256": hashlib.sha256(response.body).hexdigest(),
            "filePath": str(directory / name),
        }


def _metadata(event: InboxEvent, message: dict[str, Any]) -> dict[str, Any]:
    provider = message.get("contentProvider")
    external_url = provider.get("originalContentUrl") if isinstance(provider, dict) else None
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
        "externalUrl": external_url if isinstance(external_url, str) else None,
    }
