"""The Singer tap."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap

from line_core.api.credentials import token_source_from_config
from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.singer.plugin import LinePlugin
from line_core.store import Store, open_store
from tap_line.follow_evidence.evidence_store import FollowEvidenceStore
from tap_line.message_writer import BufferedMessageWriter
from tap_line.queries.inbox import inbox_channels
from tap_line.settings import CONFIG_JSONSCHEMA, DEFAULT_CHANNEL
from tap_line.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream

    from line_core.api.rate_limit.limiter import RateLimiter
    from line_core.api.tokens import TokenSource


class TapLine(LinePlugin, Tap):
    """Followers, profiles, webhook events and statistics of a LINE Official Account.

    Implements `tap_line.base.services.StreamServices`.
    """

    name = "tap-line"
    package_name = "singer-line"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    message_writer_class = BufferedMessageWriter
    message_writer: BufferedMessageWriter

    @cached_property
    def tokens(self) -> TokenSource:
        """The source of channel access tokens.

        Raises:
            SettingError: The settings contain no credentials.
        """
        return token_source_from_config(self.config)

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        """The channel's rate limiter, shared by all streams and by all processes that use the same store."""
        return SharedRateLimiter.from_config(self.config, self.store, self.channel)

    @cached_property
    def store(self) -> Store:
        """The open store. It is created if there is none, for the rate limits, unless no selected stream needs LINE.

        Raises:
            StoreError: The store cannot be opened, or there is none and all selected streams read it.
        """
        selected = [stream for stream in STREAMS if self._is_selected(stream.name)]
        readers = [stream.name for stream in selected if stream.reads_only_store]
        store = open_store(self.config["store_url"], create=len(readers) < len(selected) or not selected)
        if store.is_new and readers:
            self.logger.warning(
                "There was no store at store_url, and a new one was created: %s will have no records. Set store_url to "
                "the store of tap-line-webhook and target-line",
                ", ".join(readers),
            )
        return store

    def _is_selected(self, name: str) -> bool:
        stream = self.streams.get(name)
        return stream is not None and stream.selected

    @cached_property
    def channel(self) -> str:
        """The channel's name: from the settings, else the only channel in the inbox, else `main`."""
        if name := self.config.get("channel"):
            return str(name)
        with self.store.read() as connection:
            names = inbox_channels(connection)
        return names[0] if len(names) == 1 else DEFAULT_CHANNEL

    @cached_property
    def follow_evidence(self) -> FollowEvidenceStore:
        """The follow evidence of the channel."""
        return FollowEvidenceStore(self.store, self.channel)

    def discover_streams(self) -> Sequence[Stream]:
        """Return all streams. Discovery sends no requests to LINE."""
        return [stream(self) for stream in STREAMS]


if __name__ == "__main__":
    TapLine.cli()
