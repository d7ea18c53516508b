"""Bots: the channel's own bot, and the bots of a module channel."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError
from tap_line.base.api_stream import ApiStream

_BOT_COLUMNS = (
    th.Property(
        "line_id", th.StringType, required=True, description="User ID of the bot; `destination` of webhook events"
    ),
    th.Property("basic_id", th.StringType, description="Basic ID, which starts with @"),
    th.Property("premium_id", th.StringType, description="Premium ID; null if the account has none"),
    th.Property("display_name", th.StringType, description="Name of the account"),
    th.Property("picture_url", th.StringType, description="URL of the account's picture"),
)


class BotInfo(ApiStream):
    """The channel's bot: IDs, name, picture and modes."""

    description = "The channel's bot: IDs, name, picture and modes."
    name = "bot_info"
    path = "/v2/bot/info"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *_BOT_COLUMNS,
        th.Property("chat_mode", th.StringType, description="chat (staff can chat with people) or bot"),
        th.Property("mark_as_read_mode", th.StringType, description="auto or manual"),
    ).to_dict()


class Bots(ApiStream):
    """The bots that a module channel is attached to. Other channels have no rows."""

    description = "The bots that a module channel is attached to. Other channels have no rows."
    name = "bots"
    path = "/v2/bot/list"
    records_key = "bots"
    page_size = 100
    empty_on_errors = (NotEntitledError, NotFoundError)
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*_BOT_COLUMNS).to_dict()
