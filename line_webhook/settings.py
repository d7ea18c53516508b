"""The receiver's settings, from a file, the environment and options; secrets never by option."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from line_core.errors import SettingError
from line_core.store import DEFAULT_STORE_URL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRONMENT_PREFIX: Final = "TAP_LINE_WEBHOOK_"

_SECRET = {"secret": True}
_ChannelName = Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
_Secret = Annotated[str, Meta(min_length=1)]
_Positive = Annotated[float, Meta(gt=0)]
_Url = Annotated[str, Meta(pattern="^https?://[^\\s]+$")]


class Channel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Messaging API channel whose webhooks arrive at `/webhook/<name>`."""

    name: _ChannelName
    channel_secret: _Secret
    previous_channel_secret: _Secret | None = None
    relay_urls: tuple[_Url, ...] = ()

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The secrets that LINE may sign with at present."""
        both = (self.channel_secret, self.previous_channel_secret)
        return tuple(secret.encode() for secret in both if secret is not None)

    def __repr__(self) -> str:
        """Show the channel without its secrets."""
        return f"Channel({self.name!r})"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; each field's description is its documentation."""

    store_url: Annotated[str, Meta(description="Where events are stored: `sqlite:///PATH` or `postgresql://…`")] = (
        DEFAULT_STORE_URL
    )
    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one")] = 8080
    channels: Annotated[
        tuple[Channel, ...],
        Meta(
            description="The channels: objects with `name`, `channel_secret` and, if needed, "
            "`previous_channel_secret` and `relay_urls`",
            extra=_SECRET,
        ),
    ] = ()
    channel_name: Annotated[_ChannelName, Meta(description="Name of the one channel that `channel_secret` sets up")] = (
        "main"
    )
    channel_secret: Annotated[
        _Secret | None, Meta(description="Secret of one channel, in place of `channels`", extra=_SECRET)
    ] = None
    previous_channel_secret: Annotated[
        _Secret | None,
        Meta(description="That channel's earlier secret, still accepted while it is being changed", extra=_SECRET),
    ] = None
    relay_urls: Annotated[
        tuple[_Url, ...], Meta(description="URLs of bots that get that channel's requests too", extra=_SECRET)
    ] = ()
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes that serve; more than one needs Postgres")] = 1
    max_body_bytes: Annotated[int, Meta(ge=1024, description="Largest request body; above it the answer is 413")] = (
        2 * 1024 * 1024
    )
    max_buffered_bytes: Annotated[
        int, Meta(ge=1024, description="Bodies held in memory until they are stored; above it the answer is 503")
    ] = 64 * 1024 * 1024
    store_timeout_seconds: Annotated[
        float, Meta(gt=0, description="How long a request waits for the store before the answer is 503; LINE waits 2 s")
    ] = 1.5
    client_timeout_seconds: Annotated[
        float, Meta(gt=0, description="How long a request may take to arrive before its connection is closed")
    ] = 10.0
    max_connections: Annotated[
        int, Meta(ge=1, description="Connections a worker keeps; above it the answer is 503")
    ] = 1000
    drain_seconds: Annotated[
        int, Meta(ge=1, description="After SIGTERM, how long requests may take to be answered")
    ] = 10
    inbox_retention_days: Annotated[
        _Positive | None, Meta(description="Remove events this many days after they were received; by default never")
    ] = None
    inbox_purge_unread: Annotated[
        bool, Meta(description="Remove them also when tap-line has not read them yet, or never does")
    ] = False
    relay_timeout_seconds: Annotated[float, Meta(gt=0, description="How long a relay's bot may take to answer")] = 10.0
    relay_give_up_hours: Annotated[
        float, Meta(gt=0, description="Age at which a request that a bot does not accept becomes a dead letter")
    ] = 24.0
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least level logged")] = "info"

    def channels_by_name(self) -> dict[str, Channel]:
        """All channels.

        Raises:
            SettingError: There is none, or two of one name.
        """
        channels = list(self.channels)
        if self.channel_secret is not None:
            channels.append(
                Channel(
                    name=self.channel_name,
                    channel_secret=self.channel_secret,
                    previous_channel_secret=self.previous_channel_secret,
                    relay_urls=self.relay_urls,
                )
            )
        if not channels:
            raise SettingError(
                f"no channel is set up: give its secret as {ENVIRONMENT_PREFIX}CHANNEL_SECRET or in a config file",
                setting="channel_secret",
            )
        by_name = {channel.name: channel for channel in channels}
        if len(by_name) < len(channels):
            raise SettingError("two channels have the same name", setting="channels")
        return by_name

    def __repr__(self) -> str:
        """Show nothing that could hold a secret."""
        return f"Settings(host={self.host!r}, port={self.port!r})"


def metadata(field: str) -> Meta:
    """A setting's description and limits."""
    hint = get_type_hints(Settings, include_extras=True)[field]
    return next(note for note in reversed(hint.__metadata__) if isinstance(note, Meta) and note.description)


def is_secret(field: str) -> bool:
    """Whether a setting may hold a secret, so that it has no option."""
    return bool((metadata(field).extra or {}).get("secret"))


def load_settings(
    options: Mapping[str, str], environment: Mapping[str, str], config_file: Path | None = None
) -> Settings:
    """Gather the settings; options win over the environment, the environment over the file.

    Args:
        options: Values from the command line by setting name.
        environment: The process's environment.
        config_file: A JSON object of settings.

    Raises:
        SettingError: The file cannot be read, or a setting is unknown, missing or wrong.
    """
    values: dict[str, Any] = _read(config_file) if config_file else {}
    for name in Settings.__struct_fields__:
        text = options.get(name) or environment.get(ENVIRONMENT_PREFIX + name.upper())
        if text:
            values[name] = _parse(name, text) if name in _JSON_FIELDS else text
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        # msgspec names types and places, never values: secrets stay out of the line.
        what, _, place = str(error).partition(" - at ")
        raise SettingError(
            what.replace("Object contains unknown field", "there is no setting"), setting=_name(place)
        ) from None
    return settings


_JSON_FIELDS = frozenset({"channels", "relay_urls"})


def _read(config_file: Path) -> dict[str, Any]:
    try:
        values = json.loads(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot read {config_file}: {error.strerror}", setting="--config") from None
    except ValueError as error:
        raise SettingError(f"{config_file} is not JSON: {error}", setting="--config") from None
    if not isinstance(values, dict):
        raise SettingError(f"{config_file} does not hold a JSON object", setting="--config")
    return values


def _parse(name: str, text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingError(f"not JSON: {error}", setting=name) from None


def _name(place: str) -> str | None:
    return re.sub(r"^`?\$\.?|`$", "", place) or None
