"""The receiver's settings and their validation; `settings_sources` reads them from options, environment and file.

The repository's other settings are JSON Schemas, as Singer requires. This program is not a Singer plugin, so a msgspec
Struct holds its settings: msgspec validates, converts text and names the wrong field without repeating its value.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_type_hints

from msgspec import Meta, Struct

from line_core.errors import SettingError
from line_core.store import DEFAULT_STORE_URL

ENVIRONMENT_PREFIX: Final = "TAP_LINE_WEBHOOK_"

_SECRET = {"secret": True}
_ChannelName = Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
_Secret = Annotated[str, Meta(min_length=1)]
_Positive = Annotated[float, Meta(gt=0)]
_Url = Annotated[str, Meta(pattern="^https?://[^\\s]+$")]


class ReceiverChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Messaging API channel whose webhook URL is `/webhook/<name>`."""

    name: _ChannelName
    channel_secret: _Secret
    previous_channel_secret: _Secret | None = None
    relay_urls: tuple[_Url, ...] = ()

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The secrets that LINE may sign with at the moment."""
        both = (self.channel_secret, self.previous_channel_secret)
        return tuple(secret.encode() for secret in both if secret is not None)

    def __repr__(self) -> str:
        """Show the channel without its secrets."""
        return f"ReceiverChannel({self.name!r})"


class ReceiverSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. The description of a field is its documentation."""

    store_url: Annotated[str, Meta(description="Database for the events: `sqlite:///PATH` or `postgresql://…`")] = (
        DEFAULT_STORE_URL
    )
    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 for a free port")] = 8080
    channels: Annotated[
        tuple[ReceiverChannel, ...],
        Meta(
            description="List of channels: objects with `name`, `channel_secret` and optionally "
            "`previous_channel_secret` and `relay_urls`",
            extra=_SECRET,
        ),
    ] = ()
    channel_name: Annotated[_ChannelName, Meta(description="Name of the channel that `channel_secret` belongs to")] = (
        "main"
    )
    channel_secret: Annotated[
        _Secret | None, Meta(description="Secret of a single channel, instead of `channels`", extra=_SECRET)
    ] = None
    previous_channel_secret: Annotated[
        _Secret | None,
        Meta(description="Previous secret of that channel, still accepted while you change the secret", extra=_SECRET),
    ] = None
    relay_urls: Annotated[
        tuple[_Url, ...],
        Meta(description="URLs of bots that also receive the requests of that channel", extra=_SECRET),
    ] = ()
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Number of worker processes; more than one needs Postgres")
    ] = 1
    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Max bytes of a request body; a larger body gets status 413")
    ] = 2 * 1024 * 1024
    max_buffered_bytes: Annotated[
        int,
        Meta(ge=1024, description="Max bytes of all bodies that wait for the store; above it, requests get status 503"),
    ] = 64 * 1024 * 1024
    store_timeout_seconds: Annotated[
        float,
        Meta(gt=0, description="Seconds a request waits for the store before it gets status 503; LINE waits 2 s"),
    ] = 1.5
    client_timeout_seconds: Annotated[
        float, Meta(gt=0, description="Seconds a request may take to arrive before its connection is closed")
    ] = 10.0
    max_connections: Annotated[
        int, Meta(ge=1, description="Max connections per worker; above it, requests get status 503")
    ] = 1000
    drain_seconds: Annotated[int, Meta(ge=1, description="Max seconds to finish requests after SIGTERM")] = 10
    inbox_retention_days: Annotated[
        _Positive | None, Meta(description="Days after which received events are removed; by default never")
    ] = None
    inbox_purge_unread: Annotated[bool, Meta(description="Also remove events that tap-line has not read")] = False
    relay_timeout_seconds: Annotated[
        float, Meta(gt=0, description="Seconds a bot may take to respond to a relayed request")
    ] = 10.0
    relay_give_up_hours: Annotated[
        float, Meta(gt=0, description="Hours after which a request that a bot does not accept becomes a dead letter")
    ] = 24.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Lowest level that is logged")
    ] = "info"

    def channels_by_name(self) -> dict[str, ReceiverChannel]:
        """Return all channels.

        Raises:
            SettingError: There is no channel, or two channels have the same name.
        """
        channels = list(self.channels)
        if self.channel_secret is not None:
            channels.append(
                ReceiverChannel(
                    name=self.channel_name,
                    channel_secret=self.channel_secret,
                    previous_channel_secret=self.previous_channel_secret,
                    relay_urls=self.relay_urls,
                )
            )
        if not channels:
            raise SettingError(
                f"no channel is configured: set {ENVIRONMENT_PREFIX}CHANNEL_SECRET, or channels in the config file",
                setting="channel_secret",
            )
        by_name = {channel.name: channel for channel in channels}
        if len(by_name) < len(channels):
            raise SettingError("two channels have the same name", setting="channels")
        return by_name

    def __repr__(self) -> str:
        """Show only settings that cannot hold a secret."""
        return f"ReceiverSettings(host={self.host!r}, port={self.port!r})"


SETTING_NAMES: Final = ReceiverSettings.__struct_fields__


def setting_default(name: str) -> object:
    return dict(zip(SETTING_NAMES, ReceiverSettings.__struct_defaults__, strict=True))[name]


def setting_description(name: str) -> str:
    return _metadata(name).description or ""


def is_secret(name: str) -> bool:
    """Tell whether a setting may hold a secret; such a setting has no command-line option."""
    return bool((_metadata(name).extra or {}).get("secret"))


def _metadata(name: str) -> Meta:
    hint = get_type_hints(ReceiverSettings, include_extras=True)[name]
    return next(note for note in reversed(hint.__metadata__) if isinstance(note, Meta) and note.description)
